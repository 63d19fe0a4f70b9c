package io.lightmill.udfs.store;

import java.io.IOException;
import java.io.OutputStream;
import org.apache.commons.io.output.CountingOutputStream;

/** Knows how long a body was that went into the store, and whether all of it did. */
final class CountedBody implements ObjectBody {

  private final ObjectBody body;
  private long bytes;
  private boolean whole;

  CountedBody(ObjectBody body) {
    this.body = body;
  }

  @Override
  public void writeTo(OutputStream out) throws IOException {
    whole = false;
    CountingOutputStream counting = new CountingOutputStream(out);
    body.writeTo(counting);
    counting.flush();
    bytes = counting.getByteCount();
    whole = true;
  }

  long bytes() {
    return bytes;
  }

  boolean whole() {
    return whole;
  }
}
