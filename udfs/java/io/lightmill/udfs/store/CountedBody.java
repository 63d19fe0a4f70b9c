package io.lightmill.udfs.store;

import java.io.IOException;
import java.io.OutputStream;
import org.apache.commons.io.output.CountingOutputStream;

/** Counts the bytes of a body that were written, and records whether the body was complete. */
final class CountedBody implements ObjectBody {

  private final ObjectBody body;
  private long bytes;
  private boolean complete;

  CountedBody(ObjectBody body) {
    this.body = body;
  }

  @Override
  public void writeTo(OutputStream out) throws IOException {
    complete = false;
    CountingOutputStream counting = new CountingOutputStream(out);
    body.writeTo(counting);
    counting.flush();
    bytes = counting.getByteCount();
    complete = true;
  }

  long bytes() {
    return bytes;
  }

  boolean complete() {
    return complete;
  }
}
