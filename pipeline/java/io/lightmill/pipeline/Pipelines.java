package io.lightmill.pipeline;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.torch.DType;
import io.lightmill.pipeline.torch.Device;

/** The pipeline classes that Lightmill runs, by the names in {@code model_index.json}. */
public final class Pipelines {

  private Pipelines() {}

  /** What the checkpoint accepts; reads configs, loads no weights. */
  public static PipelineLimits limits(Checkpoint checkpoint) {
    throw new UnsupportedOperationException("laid next");
  }

  /** The tokenizer that decides how long a prompt may be; loads no weights. */
  public static PromptLength promptLength(Checkpoint checkpoint) {
    throw new UnsupportedOperationException("laid next");
  }

  /** Loads the weights onto a device. */
  public static DiffusionPipeline load(Checkpoint checkpoint, Device device, DType dtype) {
    throw new UnsupportedOperationException("laid next");
  }
}
