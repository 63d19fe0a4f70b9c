package io.lightmill.udfs.checkpoint;

import io.lightmill.pipeline.checkpoint.CheckpointCache;
import java.nio.file.Path;
import org.apache.hadoop.conf.Configuration;

/**
 * Checkpoints and adapters of any Hadoop file system, fetched to this node once.
 *
 * @param cache of this node
 * @param hadoop settings of the file systems
 */
public record CheckpointFetch(CheckpointCache cache, Configuration hadoop) {

  /** Into the cache of this machine's user. */
  public CheckpointFetch(Configuration hadoop) {
    this(CheckpointCache.ofUser(), hadoop);
  }

  /**
   * The local directory of a checkpoint, fetched if need be.
   *
   * @param location {@code builtin:pocket}, a local directory, a folder of the Hugging Face Hub's
   *     cache, or a URI of any Hadoop file system
   * @throws io.lightmill.pipeline.LightmillException with {@code CHECKPOINT_INVALID} if there is no
   *     such checkpoint or it cannot be fetched
   */
  public Path localize(String location) {
    return RemoteCheckpoint.isRemote(location)
        ? cache.fetch(RemoteCheckpoint.of(location, hadoop))
        : cache.localize(location);
  }

  /**
   * The local path of a file beside checkpoints, such as an adapter, fetched if need be.
   *
   * @param location a local path, or the URI of a file on any Hadoop file system
   * @throws io.lightmill.pipeline.LightmillException with {@code CHECKPOINT_INVALID} if there is no
   *     such file or it cannot be fetched
   */
  public Path localizeFile(String location) {
    if (!RemoteCheckpoint.isRemote(location)) {
      return CheckpointCache.path(location);
    }
    RemoteFile file = RemoteFile.of(location, hadoop);
    return cache.fetch(file).resolve(file.name());
  }
}
