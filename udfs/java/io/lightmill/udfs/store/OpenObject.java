package io.lightmill.udfs.store;

import java.io.Closeable;
import java.io.IOException;
import org.apache.hadoop.fs.FSDataInputStream;

/**
 * An object that is read from any of its bytes.
 *
 * @param bytes its length
 */
public record OpenObject(FSDataInputStream stream, long bytes) implements Closeable {

  @Override
  public void close() throws IOException {
    stream.close();
  }
}
