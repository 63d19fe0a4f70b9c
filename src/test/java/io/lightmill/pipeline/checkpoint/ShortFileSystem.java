package io.lightmill.pipeline.checkpoint;

import java.io.IOException;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** The local disk, of which one file can be made to end early. */
public final class ShortFileSystem extends RawLocalFileSystem {

  /** Configuration key: the end of the path of the file. */
  static final String SHORT = "test.short";

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    FSDataInputStream in = super.open(path, bufferSize);
    String ending = getConf().get(SHORT);
    if (ending != null && path.toString().endsWith(ending)) {
      in.seek(1);
    }
    return in;
  }
}
