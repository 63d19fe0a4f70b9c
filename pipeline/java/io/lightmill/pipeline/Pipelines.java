package io.lightmill.pipeline;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.flux.FluxLimits;
import io.lightmill.pipeline.flux.FluxPipeline;
import io.lightmill.pipeline.stablediffusion3.Sd3Limits;
import io.lightmill.pipeline.stablediffusion3.StableDiffusion3Pipeline;
import io.lightmill.pipeline.torch.DType;
import io.lightmill.pipeline.torch.Device;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;

/** The pipeline classes that Lightmill runs, by the names in {@code model_index.json}. */
public final class Pipelines {

  private record Family(
      Function<Checkpoint, PipelineLimits> limits,
      Function<Checkpoint, PromptLength> promptLength,
      BiFunction<Checkpoint, WeightLoader, DiffusionPipeline> load) {}

  private static final Map<String, Family> FAMILIES =
      new TreeMap<>(
          Map.of(
              "FluxPipeline",
              new Family(FluxLimits::of, FluxLimits::promptLength, FluxPipeline::new),
              "StableDiffusion3Pipeline",
              new Family(Sd3Limits::of, Sd3Limits::promptLength, StableDiffusion3Pipeline::new)));

  private Pipelines() {}

  /** What the checkpoint accepts; reads configs, loads no weights. */
  public static PipelineLimits limits(Checkpoint checkpoint) {
    return family(checkpoint).limits().apply(checkpoint);
  }

  /** The tokenizer that decides how long a prompt may be; loads no weights. */
  public static PromptLength promptLength(Checkpoint checkpoint) {
    return family(checkpoint).promptLength().apply(checkpoint);
  }

  /** Loads the weights onto a device. */
  public static DiffusionPipeline load(Checkpoint checkpoint, Device device, DType dtype) {
    return family(checkpoint).load().apply(checkpoint, new WeightLoader(device, dtype));
  }

  private static Family family(Checkpoint checkpoint) {
    Family family = FAMILIES.get(checkpoint.pipelineClass());
    if (family == null) {
      throw new LightmillException(
          ErrorCode.PIPELINE_UNKNOWN,
          "the checkpoint %s is a %s; Lightmill runs %s"
              .formatted(
                  checkpoint.directory(),
                  checkpoint.pipelineClass(),
                  String.join(", ", FAMILIES.keySet())));
    }
    return family;
  }
}
