package io.lightmill.pipeline.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;

/**
 * One file on a Hadoop file system. Its key covers name, length and modification time, so that a
 * file that was replaced there is fetched again.
 */
record RemoteFile(String location, FileSystem fileSystem, FileStatus status)
    implements CheckpointSource {

  static RemoteFile of(String location, Configuration hadoop) {
    try {
      FileSystem fileSystem = FileSystem.get(URI.create(location), hadoop);
      FileStatus status = fileSystem.getFileStatus(new org.apache.hadoop.fs.Path(location));
      return new RemoteFile(location, fileSystem, status);
    } catch (IOException | IllegalArgumentException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s cannot be read (%s); check its address and the credentials".formatted(location, e),
          e);
    }
  }

  /** Of the file in its directory. */
  String name() {
    return status.getPath().getName();
  }

  @Override
  public String key() {
    String described =
        "%s\n%d %d".formatted(location, status.getLen(), status.getModificationTime());
    return "fetched/" + DigestUtils.sha256Hex(described.getBytes(UTF_8)).substring(0, 32);
  }

  @Override
  public void copyTo(Path directory) throws IOException {
    List<FileFetch.RemotePart> parts = List.of(new FileFetch.RemotePart(name(), status));
    new FileFetch(fileSystem, parts, FileFetch.CHUNK_BYTES).into(directory);
  }
}
