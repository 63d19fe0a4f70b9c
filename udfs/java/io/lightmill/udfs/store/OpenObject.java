package io.lightmill.udfs.store;

import java.io.Closeable;
import java.io.IOException;
import org.apache.hadoop.fs.FSDataInputStream;

/**
 * An object that is open for reading at any position.
 *
 * @param bytes the object's length
 */
public record OpenObject(FSDataInputStream stream, long bytes) implements Closeable {

  @Override
  public void close() throws IOException {
    stream.close();
  }
}
