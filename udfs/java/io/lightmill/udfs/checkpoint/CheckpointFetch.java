package io.lightmill.udfs.checkpoint;

import io.lightmill.pipeline.checkpoint.CheckpointCache;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;

/**
 * Fetches checkpoints and adapters from any Hadoop file system, once per node.
 *
 * @param cache of this node
 * @param hadoop configuration of the file systems
 */
public record CheckpointFetch(CheckpointCache cache, Configuration hadoop) {

  /** Fetches into the cache of the current user. */
  public CheckpointFetch(Configuration hadoop) {
    this(CheckpointCache.ofUser(), hadoop);
  }

  /**
   * The local directory of a checkpoint, which is fetched if necessary.
   *
   * @param location {@code builtin:pocket}, a local directory, a model's directory in the Hugging
   *     Face Hub's cache, or a URI of any Hadoop file system
   * @throws io.lightmill.pipeline.LightmillException with {@code CHECKPOINT_INVALID} if the
   *     checkpoint does not exist or cannot be fetched
   */
  public Path localize(String location) {
    return RemoteCheckpoint.isRemote(location)
        ? cache.fetch(RemoteCheckpoint.of(location, hadoop))
        : cache.localize(location);
  }

  /**
   * The local directory of a single network in transformers' layout, which is fetched if necessary.
   *
   * @param location as of {@link #localize}
   * @throws io.lightmill.pipeline.LightmillException with {@code CHECKPOINT_INVALID} if it does not
   *     exist or cannot be fetched
   */
  public Path localizeModel(String location) {
    return RemoteCheckpoint.isRemote(location)
        ? cache.fetch(RemoteCheckpoint.ofModel(location, hadoop))
        : cache.localize(location);
  }

  /**
   * The local path of a single file, such as an adapter, which is fetched if necessary.
   *
   * @param location a local path, or the URI of a file on any Hadoop file system
   * @throws io.lightmill.pipeline.LightmillException with {@code CHECKPOINT_INVALID} if the file
   *     does not exist or cannot be fetched
   */
  public Path localizeFile(String location) {
    if (!RemoteCheckpoint.isRemote(location)) {
      return CheckpointCache.path(location);
    }
    RemoteFile file = RemoteFile.of(location, hadoop);
    return cache.fetch(file).resolve(file.name());
  }
}
