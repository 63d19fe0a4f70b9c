package io.lightmill.pipeline.checkpoint;

import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;

/** Brings checkpoints to the local disk, each once. */
public final class CheckpointCache {

  /** The checkpoint that ships in the jar. */
  public static final String BUILTIN_POCKET = "builtin:pocket";

  private CheckpointCache() {}

  /**
   * The local directory of a checkpoint; fetched under a lock if it is not there yet.
   *
   * @param location {@code builtin:pocket}, a local directory, or a URI of any Hadoop file system
   */
  public static Path localize(String location, Configuration hadoop) {
    throw new UnsupportedOperationException("laid next");
  }
}
