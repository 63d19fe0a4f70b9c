package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.ComponentFit;
import io.lightmill.pipeline.checkpoint.ModelCard;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.FlowMatchEulerDiscreteScheduler;
import io.lightmill.pipeline.schedule.Schedule;
import io.lightmill.pipeline.vae.AutoencoderKl;
import io.lightmill.pipeline.vae.VaeConfig;
import java.util.Map;
import java.util.Set;

/** All that is known about the checkpoints of one diffusers pipeline class. */
public interface Family {

  /** Latents along a side of diffusers' default image: 1024 pixels at a scale factor of 8. */
  int DEFAULT_SAMPLE_SIZE = 128;

  /**
   * What a checkpoint accepts.
   *
   * @param sizeMultiple width and height must be multiples of this many pixels
   * @param maxSide largest width and largest height, in pixels
   * @param maxPixels largest width × height
   * @param maxSequenceLength most prompt tokens that the long text encoder reads, padding included
   * @param defaultSide width and height where neither request nor model card has one
   * @param defaultSteps steps where neither request nor model card has them
   */
  record Bounds(
      int sizeMultiple,
      int maxSide,
      long maxPixels,
      int maxSequenceLength,
      int defaultSide,
      int defaultSteps) {}

  /** diffusers' class, as {@code model_index.json} names it. */
  String pipelineClass();

  /** The defaults of the {@code __call__} method of diffusers' class. */
  PipelineLimits.Defaults callDefaults();

  /**
   * The sampling of the efficient tier, for checkpoints whose model card has none of its own.
   * CHECKPOINTS.md names the sources of the values.
   */
  SamplingEfficiency efficient();

  /** The argument that weighs guidance, for a checkpoint that is not distilled. */
  ClassifierFreeGuidance guidanceArgument();

  /**
   * The classes that the family runs, by component. Components that are not in it are refused,
   * except for those of IP-Adapters, which no request uses.
   */
  Map<String, Set<String>> componentClasses();

  /** Keys of {@code model_index.json} that are settings of the pipeline. */
  default Set<String> indexKeys() {
    return Set.of();
  }

  /** What a checkpoint accepts; reads configs only. */
  Bounds bounds(Checkpoint checkpoint);

  /** The tokenizer that decides how long a prompt may be. */
  PromptLength promptLength(Checkpoint checkpoint);

  /** The weights of the networks by component; reads configs only. */
  Map<String, WeightLayout> networks(Checkpoint checkpoint);

  /**
   * Checks that the transformer takes what the other components give.
   *
   * @param networks of the checkpoint that the check names
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if it does not
   */
  void requireFit(ComponentFit fit, Map<String, WeightLayout> networks);

  /**
   * Loads the networks.
   *
   * @throws LightmillException if a component is missing, damaged or does not fit the others
   */
  FlowNetworks load(Checkpoint checkpoint, WeightLoader loader);

  /** The guidance of a checkpoint. */
  Guidance guidance(Checkpoint checkpoint);

  /** Names of the {@link #guidance(Guidance, ComponentConfig) settings}. */
  default Set<String> settings() {
    return Set.of();
  }

  /**
   * Guidance under other settings.
   *
   * @param given settings by name; all others stay as they are
   */
  default Guidance guidance(Guidance current, ComponentConfig given) {
    return current;
  }

  /**
   * The sigmas of a run.
   *
   * @param imageTokens tokens of one image
   */
  default Schedule schedule(
      FlowMatchEulerDiscreteScheduler scheduler, int numInferenceSteps, int imageTokens) {
    return scheduler.linear(numInferenceSteps, scheduler.mu(imageTokens));
  }

  /**
   * The layer names of the model's first release, which LoRA files may use: lines of {@code
   * original = diffusers' layers}. Empty if they are diffusers' names.
   */
  default String originalLayerNames() {
    return "";
  }

  /** The config of the autoencoder. */
  default VaeConfig vae(Checkpoint checkpoint) {
    return AutoencoderKl.config(checkpoint);
  }

  /**
   * What a checkpoint accepts and its defaults: those of its model card, else diffusers'. Reads
   * configs only.
   */
  default PipelineLimits limits(Checkpoint checkpoint) {
    Bounds bounds = bounds(checkpoint);
    PipelineLimits.Defaults call = callDefaults();
    ModelCard card = ModelCard.of(checkpoint);
    int longest = bounds.maxSequenceLength();
    return new PipelineLimits(
        bounds.sizeMultiple(),
        bounds.maxSide(),
        bounds.maxPixels(),
        longest,
        FlowMatchEulerDiscreteScheduler.of(checkpoint.config("scheduler")).minInferenceSteps(),
        guidance(checkpoint).argument(),
        new PipelineLimits.Defaults(
            card.count("width").orElse(bounds.defaultSide()),
            card.count("height").orElse(bounds.defaultSide()),
            card.count("num_inference_steps").orElse(bounds.defaultSteps()),
            card.number("guidance_scale").orElse(call.guidanceScale()),
            card.number("true_cfg_scale").orElse(call.trueCfgScale()),
            Math.min(card.count("max_sequence_length").orElse(call.maxSequenceLength()), longest)),
        card.efficiency("sampling_efficiency").orElseGet(this::efficient));
  }
}
