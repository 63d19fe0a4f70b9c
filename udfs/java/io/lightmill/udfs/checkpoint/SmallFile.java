package io.lightmill.udfs.checkpoint;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;

/** Reads small files, such as certificates, into memory. They are never copied to a disk. */
public final class SmallFile {

  private static final int MAX_BYTES = 1 << 20;

  private SmallFile() {}

  /**
   * The bytes of a file.
   *
   * @param option that names it
   * @param location a local path, or a URI of any Hadoop file system
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if it cannot be read or has more
   *     than 1 MiB
   */
  public static byte[] read(String option, String location, Configuration hadoop) {
    byte[] bytes;
    try (InputStream in = open(location, hadoop)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    } catch (IOException | IllegalArgumentException e) {
      throw invalid(
          option,
          location,
          "cannot be read (%s); each node needs the file, or one on a shared file system"
              .formatted(e));
    }
    if (bytes.length > MAX_BYTES) {
      throw invalid(option, location, "has more than 1 MiB; give the right file");
    }
    return bytes;
  }

  private static InputStream open(String location, Configuration hadoop) throws IOException {
    if (!RemoteCheckpoint.isRemote(location)) {
      return Files.newInputStream(CheckpointCache.path(location));
    }
    Path path = new Path(location);
    return path.getFileSystem(hadoop).open(path);
  }

  private static LightmillException invalid(String option, String location, String what) {
    return new LightmillException(
        ErrorCode.CONFIGURATION_INVALID,
        "option '%s' names '%s', which %s".formatted(option, location, what));
  }
}
