package io.lightmill.udfs.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.checkpoint.CheckpointSource;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;

/**
 * An adapter's file on a Hadoop file system, with PEFT's config if there is one beside it. Its key
 * covers names, lengths and modification times, so that a file is fetched again after it was
 * replaced.
 */
record RemoteFile(
    String location, FileSystem fileSystem, FileStatus status, Optional<FileStatus> config)
    implements CheckpointSource {

  static RemoteFile of(String location, Configuration hadoop) {
    try {
      FileSystem fileSystem = FileSystem.get(URI.create(location), hadoop);
      FileStatus status = fileSystem.getFileStatus(new org.apache.hadoop.fs.Path(location));
      return new RemoteFile(location, fileSystem, status, config(fileSystem, status));
    } catch (IOException | IllegalArgumentException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s cannot be read (%s); check its address and the credentials".formatted(location, e),
          e);
    }
  }

  private static Optional<FileStatus> config(FileSystem fileSystem, FileStatus file)
      throws IOException {
    try {
      return Optional.of(
          fileSystem.getFileStatus(
              new org.apache.hadoop.fs.Path(
                  file.getPath().getParent(), CheckpointCache.ADAPTER_CONFIG)));
    } catch (FileNotFoundException e) {
      return Optional.empty();
    }
  }

  /** The name of the file without its directory. */
  String name() {
    return status.getPath().getName();
  }

  @Override
  public String key() {
    String described =
        location
            + files()
                .map(file -> "\n%d %d".formatted(file.getLen(), file.getModificationTime()))
                .collect(Collectors.joining());
    return "fetched/" + DigestUtils.sha256Hex(described.getBytes(UTF_8)).substring(0, 32);
  }

  @Override
  public void copyTo(Path directory) throws IOException {
    List<FileFetch.RemotePart> parts =
        files().map(file -> new FileFetch.RemotePart(file.getPath().getName(), file)).toList();
    new FileFetch(fileSystem, parts, FileFetch.CHUNK_BYTES).into(directory);
  }

  private Stream<FileStatus> files() {
    return Stream.concat(Stream.of(status), config.stream());
  }
}
