package io.lightmill.pipeline.checkpoint;

import java.io.IOException;
import java.nio.file.Path;

/** A checkpoint that is not on the local disk yet. */
public interface CheckpointSource {

  /** The location that the user specified. */
  String location();

  /** A relative path in the cache, which changes whenever the content does. */
  String key() throws IOException;

  /**
   * Copies everything into a directory that does not exist yet, or that holds the partial result of
   * an earlier copy with the same key.
   */
  void copyTo(Path directory) throws IOException;
}
