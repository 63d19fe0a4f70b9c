package io.lightmill.jobs;

import io.lightmill.udfs.GenerationSettings;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options that fill in for columns: values of rows that name none. */
final class ImageOptions {

  @Option(names = "--width", paramLabel = "PIXELS", description = "Width of rows that name none.")
  private Optional<Integer> width;

  @Option(names = "--height", paramLabel = "PIXELS", description = "Height of rows that name none.")
  private Optional<Integer> height;

  @Option(
      names = "--num-inference-steps",
      paramLabel = "N",
      description = "Denoising steps of rows that name none.")
  private Optional<Integer> numInferenceSteps;

  @Option(
      names = "--guidance-scale",
      paramLabel = "SCALE",
      description =
          "Guidance of rows that name none: embedded, or classifier-free (Stable Diffusion 3).")
  private Optional<Double> guidanceScale;

  @Option(
      names = "--true-cfg-scale",
      paramLabel = "SCALE",
      description = "Classifier-free guidance of rows with a negative prompt; 1 turns it off.")
  private Optional<Double> trueCfgScale;

  @Option(
      names = "--negative-prompt",
      paramLabel = "TEXT",
      description = "What rows without a negative prompt steer away from; needs guidance above 1.")
  private Optional<String> negativePrompt;

  @Option(
      names = "--num-images-per-prompt",
      paramLabel = "N",
      description = "Variants of rows that name no number; 1 unless given.")
  private Optional<Integer> numImagesPerPrompt;

  @Option(
      names = "--max-sequence-length",
      paramLabel = "TOKENS",
      description = "Prompt tokens that the long text encoder sees; the checkpoint's unless given.")
  private Optional<Integer> maxSequenceLength;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Job seed, from which rows without a seed derive theirs (${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--truncate-prompts",
      description = "Cut over-long prompts instead of refusing their rows.")
  private boolean truncatePrompts;

  @Option(
      names = "--default-lora",
      paramLabel = "BLEND",
      description =
          "Adapters of rows that name none in their column lora, such as brand@0.8+style@0.5.")
  private Optional<String> lora;

  GenerationSettings.Defaults defaults() {
    return new GenerationSettings.Defaults(
        OptionBounds.atLeast(1, "--width", width),
        OptionBounds.atLeast(1, "--height", height),
        OptionBounds.atLeast(1, "--num-inference-steps", numInferenceSteps),
        OptionBounds.finiteAtLeast(0, "--guidance-scale", guidanceScale),
        OptionBounds.finiteAtLeast(0, "--true-cfg-scale", trueCfgScale),
        negativePrompt,
        OptionBounds.atLeast(1, "--num-images-per-prompt", numImagesPerPrompt),
        OptionBounds.atLeast(1, "--max-sequence-length", maxSequenceLength),
        seed,
        truncatePrompts,
        lora);
  }
}
