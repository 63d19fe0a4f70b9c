package io.lightmill.pipeline.checkpoint;

import java.io.IOException;
import java.nio.file.Path;

/** A checkpoint that is not on the local disk yet. */
public interface CheckpointSource {

  /** As the user wrote it. */
  String location();

  /** A relative path in the cache that is another one whenever the content is. */
  String key() throws IOException;

  /**
   * Copies everything into a directory, which does not exist yet or holds what an earlier copy of
   * the same key left when it failed or was killed.
   */
  void copyTo(Path directory) throws IOException;
}
