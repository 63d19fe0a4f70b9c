package io.lightmill.pipeline.families;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.Residence;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.flux.FluxPipeline;
import io.lightmill.pipeline.flux2.Flux2KleinPipeline;
import io.lightmill.pipeline.lora.LoraAdapter;
import io.lightmill.pipeline.lora.LoraPipeline;
import io.lightmill.pipeline.qwenimage.QwenImagePipeline;
import io.lightmill.pipeline.stablediffusion3.StableDiffusion3Pipeline;
import io.lightmill.pipeline.zimage.ZImagePipeline;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;

/** The pipeline classes that Lightmill runs, by the names in {@code model_index.json}. */
public final class Pipelines {

  private record Family(
      Function<Checkpoint, PipelineLimits> limits,
      Function<Checkpoint, PromptLength> promptLength,
      Function<Checkpoint, Map<String, WeightLayout>> networks,
      BiFunction<Checkpoint, WeightLoader, DiffusionPipeline> load) {}

  private static final Map<String, Family> FAMILIES =
      new TreeMap<>(
          Map.of(
              "Flux2KleinPipeline",
              new Family(
                  Flux2KleinPipeline::limits,
                  Flux2KleinPipeline::promptLength,
                  Flux2KleinPipeline::networks,
                  Flux2KleinPipeline::new),
              "FluxPipeline",
              new Family(
                  FluxPipeline::limits,
                  FluxPipeline::promptLength,
                  FluxPipeline::networks,
                  FluxPipeline::new),
              "QwenImagePipeline",
              new Family(
                  QwenImagePipeline::limits,
                  QwenImagePipeline::promptLength,
                  QwenImagePipeline::networks,
                  QwenImagePipeline::new),
              "StableDiffusion3Pipeline",
              new Family(
                  StableDiffusion3Pipeline::limits,
                  StableDiffusion3Pipeline::promptLength,
                  StableDiffusion3Pipeline::networks,
                  StableDiffusion3Pipeline::new),
              "ZImagePipeline",
              new Family(
                  ZImagePipeline::limits,
                  ZImagePipeline::promptLength,
                  ZImagePipeline::networks,
                  ZImagePipeline::new)));

  private Pipelines() {}

  /** What the checkpoint accepts; reads configs, loads no weights. */
  public static PipelineLimits limits(Checkpoint checkpoint) {
    return family(checkpoint).limits().apply(checkpoint);
  }

  /** The tokenizer that decides how long a prompt may be; loads no weights. */
  public static PromptLength promptLength(Checkpoint checkpoint) {
    return family(checkpoint).promptLength().apply(checkpoint);
  }

  /** What the networks of a checkpoint compute with, by component; reads configs alone. */
  public static Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    return family(checkpoint).networks().apply(checkpoint);
  }

  /** Loads the weights onto a device. */
  public static DiffusionPipeline load(Checkpoint checkpoint, Device device, DType dtype) {
    return family(checkpoint).load().apply(checkpoint, new WeightLoader(device, dtype));
  }

  /**
   * Loads a checkpoint that adapters may change, or whose networks take turns on the device.
   *
   * @param adapters that requests may name
   * @param offload whether text encoders, transformer and autoencoder are on the device one after
   *     the other; each batch brings them there anew
   */
  public static DiffusionPipeline load(
      Checkpoint checkpoint,
      Device device,
      DType dtype,
      Map<String, LoraAdapter> adapters,
      boolean offload) {
    if (adapters.isEmpty() && !offload) {
      return load(checkpoint, device, dtype);
    }
    Family family = family(checkpoint);
    return new LoraPipeline(
        adapters,
        device,
        dtype,
        offload ? Residence.inTurn(device) : Residence.together(),
        loader -> family.load().apply(checkpoint, loader));
  }

  /**
   * Reads an adapter for a checkpoint and holds it against its networks.
   *
   * @param path of a safetensors file, or of a directory that holds one
   * @throws LightmillException with {@code WEIGHTS_INVALID} that names all keys that do not fit
   */
  public static LoraAdapter adapter(Checkpoint checkpoint, Path path) {
    return LoraAdapter.open(path, checkpoint.pipelineClass(), networks(checkpoint));
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
