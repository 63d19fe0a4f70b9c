package io.lightmill.udfs.device;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.hosted.HostedIdentity;
import io.lightmill.udfs.checkpoint.CheckpointFetch;
import io.lightmill.udfs.store.SharedConfiguration;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;

/** A job's checkpoint as the driver has it: everything but the weights. */
public record JobCheckpoint(Model model, PipelineLimits limits, PipelineLoader loader) {

  /**
   * Fetches the checkpoint if it is remote, and reads its description.
   *
   * @throws LightmillException if it cannot be fetched, or Lightmill does not support it
   */
  public static JobCheckpoint open(
      String location,
      Loading loading,
      Optional<DType> requested,
      Cluster cluster,
      Configuration hadoop) {
    Checkpoint checkpoint =
        Checkpoint.open(new CheckpointFetch(hadoop).localize(location), loading.wanted());
    PipelineLimits limits = Families.limits(checkpoint);
    Families.requireComplete(checkpoint); // before all bytes are hashed and rows planned
    Map<String, String> adapters = adapters(checkpoint, loading, hadoop);
    // A CPU without 16-bit arithmetic is faster with 32 bits; any GPU is faster with 16.
    DType dtype = requested.orElse(cluster.cuda() ? DType.BF16 : DType.F32);
    Model model =
        new Model(
            location,
            CheckpointCache.ofUser().digest(checkpoint),
            checkpoint.pipelineClass(),
            checkpoint.className("scheduler"),
            torchName(dtype),
            adapters);
    return new JobCheckpoint(
        model,
        limits,
        new CheckpointLoader(
            location, model.digest(), dtype, loading, adapters, new SharedConfiguration(hadoop)));
  }

  /** A hosted model, of which nothing is fetched. */
  public static JobCheckpoint hosted(HostedLoader loader) {
    Model model =
        Model.hosted(
            loader.endpoint().location(),
            HostedIdentity.digest(loader.endpoint(), loader.settings()),
            loader.endpoint().protocol().scheme());
    return new JobCheckpoint(model, loader.endpoint().limits(), loader);
  }

  /** The digests of the job's adapters, each of which fits the checkpoint. */
  private static Map<String, String> adapters(
      Checkpoint checkpoint, Loading loading, Configuration hadoop) {
    Map<String, String> digests = new TreeMap<>();
    loading
        .adapters()
        .forEach(
            (name, location) -> {
              Path file = new CheckpointFetch(hadoop).localizeFile(location);
              digests.put(name, Families.adapter(checkpoint, file).digest());
            });
    return digests;
  }

  /** The name of a {@code torch.dtype}, as the command line takes it. */
  private static String torchName(DType dtype) {
    return switch (dtype) {
      case F32 -> "float32";
      case BF16 -> "bfloat16";
      case F16 -> "float16";
      default ->
          throw new LightmillException(
              ErrorCode.CONFIGURATION_INVALID,
              "weights cannot be of type %s; choose float32, bfloat16 or float16".formatted(dtype));
    };
  }
}
