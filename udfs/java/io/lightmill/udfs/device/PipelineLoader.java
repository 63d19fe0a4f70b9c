package io.lightmill.udfs.device;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.PromptLength;
import java.io.Serializable;
import java.util.List;
import java.util.Optional;

/** Loads a pipeline in executors; sent to them with the tasks. */
public interface PipelineLoader extends Serializable {

  /** Equal for loaders of equal pipelines. */
  String key();

  /** Counts prompts in tokens; loads no weights. */
  PromptLength promptLength();

  /** The memory that the pipeline takes on a CPU; loads no weights. */
  default DrawingMemory memory() {
    return DrawingMemory.UNKNOWN;
  }

  /** The loader of a hosted model; empty for a checkpoint that is drawn on devices of the run. */
  default Optional<HostedLoader> hosted() {
    return Optional.empty();
  }

  /** The classifiers and the scorer that are loaded beside the pipeline. */
  default List<CheckModel> checks() {
    return List.of();
  }

  /** Loads the weights onto a device. */
  DiffusionPipeline load(Device device);
}
