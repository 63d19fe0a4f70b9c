package io.lightmill.udfs.store;

import java.io.IOException;
import java.io.OutputStream;

/** The content of an object, which may be too large for memory. */
@FunctionalInterface
public interface ObjectBody {

  /** Writes all bytes and leaves the stream open. */
  void writeTo(OutputStream out) throws IOException;

  /** Content that is in memory. */
  static ObjectBody of(byte[] bytes) {
    return out -> out.write(bytes);
  }
}
