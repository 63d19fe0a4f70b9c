package io.lightmill.pipeline.families;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentFit;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.flow.Family;
import io.lightmill.pipeline.flow.FlowPipeline;
import io.lightmill.pipeline.flux.FluxFamily;
import io.lightmill.pipeline.flux2.Flux2KleinFamily;
import io.lightmill.pipeline.lora.LoraAdapter;
import io.lightmill.pipeline.qwenimage.QwenImageFamily;
import io.lightmill.pipeline.stablediffusion3.StableDiffusion3Family;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.TextClasses;
import io.lightmill.pipeline.zimage.ZImageFamily;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/** The families of checkpoints that Lightmill runs, by the class names of diffusers' pipelines. */
public final class Families {

  private static final List<Family> ALL =
      List.of(
          new Flux2KleinFamily(),
          new FluxFamily(),
          new QwenImageFamily(),
          new StableDiffusion3Family(),
          new ZImageFamily());

  private Families() {}

  /** The names of all pipeline classes, in alphabetical order. */
  public static Stream<String> pipelineClasses() {
    return ALL.stream().map(Family::pipelineClass).sorted();
  }

  /** The family of a pipeline class; empty if Lightmill does not run it. */
  public static Optional<Family> find(String pipelineClass) {
    return ALL.stream().filter(family -> family.pipelineClass().equals(pipelineClass)).findFirst();
  }

  /**
   * The family of a checkpoint.
   *
   * @throws LightmillException with {@code PIPELINE_UNKNOWN}; with {@code CHECKPOINT_INVALID} if
   *     its index has a component, a component's class or a key that the family does not have
   */
  public static Family of(Checkpoint checkpoint) {
    Family family =
        find(checkpoint.pipelineClass())
            .orElseThrow(
                () ->
                    new LightmillException(
                        ErrorCode.PIPELINE_UNKNOWN,
                        "the checkpoint %s is a %s; Lightmill runs %s"
                            .formatted(
                                checkpoint.directory(),
                                checkpoint.pipelineClass(),
                                String.join(", ", pipelineClasses().toList()))));
    ComponentClasses.require(family, checkpoint);
    return family;
  }

  /** What the checkpoint accepts; reads configs, loads no weights. */
  public static PipelineLimits limits(Checkpoint checkpoint) {
    return of(checkpoint).limits(checkpoint);
  }

  /** The tokenizer that decides how long a prompt may be; loads no weights. */
  public static PromptLength promptLength(Checkpoint checkpoint) {
    return of(checkpoint).promptLength(checkpoint);
  }

  /** The weights of the networks by component; reads configs only. */
  public static Map<String, WeightLayout> networks(Checkpoint checkpoint) {
    return of(checkpoint).networks(checkpoint);
  }

  /**
   * Checks that the checkpoint's files have the weights of all networks, that the networks fit each
   * other, and that the tokenizers can be read; reads configs, headers and vocabularies only. T5's
   * tokenizers are left to {@link #limits}, which depend on them.
   *
   * @throws LightmillException that gives the cause
   */
  public static void requireComplete(Checkpoint checkpoint) {
    Family family = of(checkpoint);
    Map<String, WeightLayout> networks = new TreeMap<>(family.networks(checkpoint));
    networks.forEach((component, layout) -> checkpoint.weights(component).require(layout));
    family.requireFit(new ComponentFit(checkpoint), networks);
    checkpoint.classes().entrySet().stream()
        .filter(component -> !TextClasses.T5_TOKENIZER.contains(component.getValue().name()))
        .filter(component -> component.getKey().startsWith("tokenizer"))
        .map(Map.Entry::getKey)
        .sorted()
        .forEach(component -> PromptTokenizer.open(checkpoint, component).close());
  }

  /** Loads the weights onto a device. */
  public static FlowPipeline load(Checkpoint checkpoint, Device device, DType dtype) {
    return load(checkpoint, device, dtype, Map.of(), /* offload= */ false);
  }

  /**
   * Loads a checkpoint with adapters, or with networks that are on the device one after the other.
   *
   * @param adapters that requests may name
   * @param offload whether text encoders, transformer and autoencoder are loaded for each phase
   *     anew, so that the device holds one of them at a time
   */
  public static FlowPipeline load(
      Checkpoint checkpoint,
      Device device,
      DType dtype,
      Map<String, LoraAdapter> adapters,
      boolean offload) {
    return FlowPipeline.load(of(checkpoint), checkpoint, device, dtype, adapters, offload);
  }

  /**
   * Reads an adapter and checks that it fits a checkpoint.
   *
   * @param path of a safetensors file, or of a directory that holds one
   * @throws LightmillException with {@code WEIGHTS_INVALID} that names all keys that do not fit
   */
  public static LoraAdapter adapter(Checkpoint checkpoint, Path path) {
    Family family = of(checkpoint);
    return LoraAdapter.open(
        path, family.pipelineClass(), family.originalLayerNames(), family.networks(checkpoint));
  }
}
