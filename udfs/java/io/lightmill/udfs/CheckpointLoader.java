package io.lightmill.udfs;

import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.Pipelines;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.torch.DType;
import io.lightmill.pipeline.torch.Device;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Loads a checkpoint by way of the node's cache.
 *
 * @param location as the user wrote it
 * @param digest that the driver found; part of the key, so that a changed checkpoint is loaded anew
 */
record CheckpointLoader(
    String location, String digest, DType dtype, SerializableConfiguration hadoop)
    implements PipelineLoader {

  @Override
  public String key() {
    return String.join(" ", location, digest, dtype.name());
  }

  @Override
  public PromptLength promptLength() {
    return Pipelines.promptLength(checkpoint());
  }

  @Override
  public DiffusionPipeline load(Device device) {
    return Pipelines.load(checkpoint(), device, dtype);
  }

  private Checkpoint checkpoint() {
    return Checkpoint.open(CheckpointCache.ofUser().localize(location, hadoop.value()));
  }
}
