package io.lightmill.udfs.store;

import java.io.IOException;
import java.io.OutputStream;

/** The bytes of an object that is too large to be held at once. */
@FunctionalInterface
public interface ObjectBody {

  /** Writes all of them; leaves the stream open. */
  void writeTo(OutputStream out) throws IOException;

  /** Bytes that are held. */
  static ObjectBody of(byte[] bytes) {
    return out -> out.write(bytes);
  }
}
