package io.lightmill.udfs.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointSource;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.RemoteIterator;

/**
 * A checkpoint on a Hadoop file system. Its key covers name, length and modification time of every
 * file, so that a checkpoint is fetched again after it was replaced.
 */
record RemoteCheckpoint(String location, FileSystem fileSystem, List<LocatedFileStatus> files)
    implements CheckpointSource {

  /** The files that a pipeline reads; sample images and other formats are not fetched. */
  private static final String WANTED = ".*\\.(safetensors|json|txt|model|md)";

  static boolean isRemote(String location) {
    return location.matches("[a-zA-Z][a-zA-Z0-9+.-]+:.*")
        && !location.startsWith("file:")
        && !location.startsWith("builtin:");
  }

  static RemoteCheckpoint of(String location, Configuration hadoop) {
    return of(location, hadoop, Checkpoint.INDEX, Checkpoint.LAYOUT);
  }

  /** A single network in transformers' layout. */
  static RemoteCheckpoint ofModel(String location, Configuration hadoop) {
    return of(location, hadoop, ModelDirectory.CONFIG, ModelDirectory.LAYOUT);
  }

  private static RemoteCheckpoint of(
      String location, Configuration hadoop, String index, String layout) {
    try {
      FileSystem fileSystem = FileSystem.get(URI.create(location), hadoop);
      List<LocatedFileStatus> files = new ArrayList<>();
      RemoteIterator<LocatedFileStatus> all =
          fileSystem.listFiles(new org.apache.hadoop.fs.Path(location), true);
      while (all.hasNext()) {
        LocatedFileStatus file = all.next();
        if (file.getPath().getName().matches(WANTED)) {
          files.add(file);
        }
      }
      requireIndex(location, fileSystem, index, layout);
      files.sort(Comparator.comparing(LocatedFileStatus::getPath));
      return new RemoteCheckpoint(location, fileSystem, List.copyOf(files));
    } catch (IOException | IllegalArgumentException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "the checkpoint %s cannot be read (%s); check its address and the credentials"
              .formatted(location, e),
          e);
    }
  }

  /** Checks for the index before large files are copied. */
  private static void requireIndex(
      String location, FileSystem fileSystem, String index, String layout) throws IOException {
    if (!fileSystem.exists(new org.apache.hadoop.fs.Path(location, index))) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "the checkpoint %s has no %s, but %s. %s"
              .formatted(location, index, layout, Checkpoint.REFUSED_FILES));
    }
  }

  @Override
  public String key() {
    StringBuilder listing = new StringBuilder(location);
    for (LocatedFileStatus file : files) {
      listing.append(
          "\n%s %d %d".formatted(file.getPath(), file.getLen(), file.getModificationTime()));
    }
    return "fetched/" + DigestUtils.sha256Hex(listing.toString().getBytes(UTF_8)).substring(0, 32);
  }

  @Override
  public void copyTo(Path directory) throws IOException {
    URI root = fileSystem.makeQualified(new org.apache.hadoop.fs.Path(location)).toUri();
    List<FileFetch.RemotePart> parts =
        files.stream().map(file -> new FileFetch.RemotePart(relative(root, file), file)).toList();
    new FileFetch(fileSystem, parts, FileFetch.CHUNK_BYTES).into(directory);
  }

  private static String relative(URI root, LocatedFileStatus file) {
    String path = file.getPath().toUri().getPath();
    return path.substring(root.getPath().length()).replaceFirst("^/+", "");
  }
}
