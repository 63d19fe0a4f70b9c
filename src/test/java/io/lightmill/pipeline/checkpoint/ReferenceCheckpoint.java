package io.lightmill.pipeline.checkpoint;

import java.io.IOException;
import java.nio.file.Path;
import org.apache.commons.io.file.PathUtils;

/** The small checkpoints that the reference was recorded from. */
public final class ReferenceCheckpoint {

  private ReferenceCheckpoint() {}

  /** The directory of a model such as {@code flux-dev}; which must not be changed. */
  public static Path of(String model) {
    return Path.of("src/test/resources/reference", model, "checkpoint");
  }

  /** A copy that tests may change. */
  public static Path copy(String model, Path directory) throws IOException {
    PathUtils.copyDirectory(of(model), directory);
    return directory;
  }
}
