package io.lightmill.udfs;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.Pipelines;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.torch.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.util.SerializableConfiguration;

/** What the driver knows of a job's checkpoint: all but its weights. */
record JobCheckpoint(Model model, PipelineLimits limits, PipelineLoader loader) {

  /**
   * Brings the checkpoint here and reads what describes it.
   *
   * @throws LightmillException if it cannot be had or is not one that Lightmill runs
   */
  static JobCheckpoint open(GenerationSettings settings, Cluster cluster, Configuration hadoop) {
    String location = settings.checkpoint();
    Checkpoint checkpoint = Checkpoint.open(CheckpointCache.ofUser().localize(location, hadoop));
    // A CPU without 16-bit arithmetic is faster with 32 bits; any GPU is faster with 16.
    DType dtype = settings.dtype().orElse(cluster.cuda() ? DType.BF16 : DType.F32);
    Model model =
        new Model(
            location,
            checkpoint.digest(),
            checkpoint.pipelineClass(),
            scheduler(checkpoint.directory()),
            dtype.name().toLowerCase(Locale.ROOT));
    return new JobCheckpoint(
        model,
        Pipelines.limits(checkpoint),
        new CheckpointLoader(
            location, model.digest(), dtype, new SerializableConfiguration(hadoop)));
  }

  /** The name of the scheduler's class, from its config. */
  private static String scheduler(Path checkpoint) {
    Path config = checkpoint.resolve("scheduler").resolve("scheduler_config.json");
    try {
      return new ObjectMapper().readTree(Files.readAllBytes(config)).path("_class_name").asText();
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "scheduler config '%s' cannot be read: %s".formatted(config, e.getMessage()),
          e);
    }
  }
}
