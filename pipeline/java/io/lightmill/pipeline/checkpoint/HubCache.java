package io.lightmill.pipeline.checkpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The directories into which clients of the Hugging Face Hub download models: {@code
 * models--org--name} with {@code refs/main}, {@code blobs}, and {@code snapshots/<revision>} with
 * links to the blobs.
 */
final class HubCache {

  private static final int REVISION_BYTES = 1024;
  private static final String SNAPSHOTS = "snapshots";

  private HubCache() {}

  /**
   * The snapshot in a model's directory: the one that {@code refs/main} names, or the only one. Any
   * other directory is returned unchanged.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if the snapshot is ambiguous
   */
  static Path resolved(Path directory) {
    Path snapshots = directory.resolve(SNAPSHOTS);
    if (Files.exists(directory.resolve(Checkpoint.INDEX)) || !Files.isDirectory(snapshots)) {
      return directory;
    }
    Path main = directory.resolve("refs/main");
    try {
      if (RegularFile.exists(main)) {
        byte[] revision = RegularFile.read(main, REVISION_BYTES, ErrorCode.CHECKPOINT_INVALID);
        return snapshots.resolve(revision(main, new String(revision, UTF_8).strip()));
      }
      try (Stream<Path> revisions = Files.list(snapshots)) {
        List<Path> all = revisions.sorted().toList();
        if (all.size() == 1) {
          return all.get(0);
        }
        throw new LightmillException(
            ErrorCode.CHECKPOINT_INVALID,
            "%s has %d snapshots and no refs/main; name one of %s"
                .formatted(directory, all.size(), all));
      }
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "the Hub's directory %s cannot be read (%s); check that it is readable"
              .formatted(directory, e),
          e);
    }
  }

  /** A revision is one name, which leads nowhere else. */
  private static String revision(Path main, String revision) {
    if (!revision.matches("\\w[\\w.-]*")) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s holds '%s', which is not the name of a snapshot; download the model again"
              .formatted(main, revision));
    }
    return revision;
  }
}
