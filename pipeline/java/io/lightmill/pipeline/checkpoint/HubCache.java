package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The folders in which the Hugging Face Hub's clients keep what they download: {@code
 * models--org--name} with {@code refs/main}, {@code blobs}, and {@code snapshots/<revision>} of
 * links to the blobs.
 */
final class HubCache {

  private static final String SNAPSHOTS = "snapshots";

  private HubCache() {}

  /**
   * The snapshot of a model's folder that {@code refs/main} names, or the only one; a directory
   * that is no such folder as it is.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if it is not clear which
   */
  static Path resolved(Path directory) {
    Path snapshots = directory.resolve(SNAPSHOTS);
    if (Files.exists(directory.resolve(Checkpoint.INDEX)) || !Files.isDirectory(snapshots)) {
      return directory;
    }
    Path main = directory.resolve("refs/main");
    try {
      if (Files.exists(main)) {
        return snapshots.resolve(Files.readString(main).strip());
      }
      try (Stream<Path> revisions = Files.list(snapshots)) {
        List<Path> all = revisions.sorted().toList();
        if (all.size() == 1) {
          return all.get(0);
        }
        throw new LightmillException(
            ErrorCode.CHECKPOINT_INVALID,
            "%s holds %d snapshots and no refs/main; name one of %s"
                .formatted(directory, all.size(), all));
      }
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "the Hub's folder %s cannot be read (%s); check that it is readable"
              .formatted(directory, e),
          e);
    }
  }
}
