package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.StreamCapabilities;

/**
 * The place below which a run leaves everything.
 *
 * @param root as the user gave it
 * @param hadoop settings of its file system
 */
record OutputDirectory(String root, Configuration hadoop) {

  /** A place below the root; absolute ones and URIs stay as they are. */
  Path resolve(String relative) {
    return new Path(new Path(root.endsWith("/") ? root : root + "/"), relative);
  }

  /**
   * Writes a small file whole, over one that may be there; on failure nothing half-written is left.
   *
   * @throws LightmillException with {@code OUTPUT_UNWRITABLE}
   */
  Path write(String relative, byte[] content) {
    Path file = resolve(relative);
    try {
      FileSystem files = file.getFileSystem(hadoop);
      FSDataOutputStream stream = files.create(file, true);
      try {
        stream.write(content);
      } catch (IOException e) {
        discard(files, file, stream);
        throw e;
      }
      stream.close();
      return file;
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.OUTPUT_UNWRITABLE,
          "%s cannot be written: %s. Check the space and the permissions below --output."
              .formatted(file, e.getMessage()),
          e);
    }
  }

  /** Closing a stream of an object store would publish what it has. */
  private static void discard(FileSystem files, Path file, FSDataOutputStream stream)
      throws IOException {
    if (stream.hasCapability(StreamCapabilities.ABORTABLE_STREAM)) {
      stream.abort();
    }
    stream.close();
    files.delete(file, false);
  }
}
