package io.lightmill.pipeline.checkpoint;

import java.io.IOException;
import java.nio.file.Path;

/** A checkpoint that is not on the local disk yet. */
interface CheckpointSource {

  /** As the user wrote it. */
  String location();

  /** A relative path in the cache that is another one whenever the content is. */
  String key() throws IOException;

  /** Copies everything into a directory that does not exist yet. */
  void copyTo(Path directory) throws IOException;
}
