package io.lightmill.pipeline;

import java.util.Objects;
import java.util.Optional;

/**
 * One image to draw, with every value decided. The names are those of diffusers' pipeline
 * arguments. {@link DiffusionPipeline#request} makes requests with the defaults of a checkpoint:
 *
 * <pre>{@code
 * pipeline.request("a red mug").width(768).height(512).seed(7).build()
 * }</pre>
 *
 * @param prompt what to draw
 * @param prompt2 text for the second text encoder instead of the prompt, where a pipeline has one
 * @param prompt3 text for the third text encoder instead of the prompt, where a pipeline has one
 * @param negativePrompt what to steer away from, for all text encoders; {@link
 *     ClassifierFreeGuidance} says what it means to leave it out
 * @param width of the image, in pixels
 * @param height of the image, in pixels
 * @param numInferenceSteps transformer evaluations along the flow, at least 1
 * @param guidanceScale the embedded (distilled) guidance where a pipeline has one, else the weight
 *     of the classifier-free guidance
 * @param trueCfgScale weight of the classifier-free guidance where {@code guidanceScale} is not; 1
 *     turns it off
 * @param maxSequenceLength prompt tokens that the long text encoder sees, padding included
 * @param seed of the CPU generator that draws the initial noise
 * @param lora adapters to draw with
 * @param efficiency how the image is drawn with fewer transformer calls than diffusers makes
 */
public record ImageRequest(
    String prompt,
    Optional<String> prompt2,
    Optional<String> prompt3,
    Optional<String> negativePrompt,
    int width,
    int height,
    int numInferenceSteps,
    double guidanceScale,
    double trueCfgScale,
    int maxSequenceLength,
    long seed,
    LoraBlend lora,
    SamplingEfficiency efficiency) {

  public ImageRequest {
    Objects.requireNonNull(prompt, "prompt");
    Objects.requireNonNull(prompt2, "prompt2");
    Objects.requireNonNull(prompt3, "prompt3");
    Objects.requireNonNull(negativePrompt, "negativePrompt");
    Objects.requireNonNull(lora, "lora");
    Objects.requireNonNull(efficiency, "efficiency");
  }

  /**
   * A request that starts with the defaults of diffusers' FluxPipeline (1024×1024 pixels, 28 steps,
   * 512 prompt tokens), whatever the checkpoint, and seed 0. {@link DiffusionPipeline#request} has
   * those of the checkpoint.
   */
  public static Builder builder(String prompt) {
    return new Builder(prompt);
  }

  /** A request that starts with the defaults of a checkpoint, and seed 0. */
  public static Builder builder(String prompt, PipelineLimits.Defaults defaults) {
    return new Builder(prompt)
        .width(defaults.width())
        .height(defaults.height())
        .numInferenceSteps(defaults.numInferenceSteps())
        .guidanceScale(defaults.guidanceScale())
        .trueCfgScale(defaults.trueCfgScale())
        .maxSequenceLength(defaults.maxSequenceLength());
  }

  /** A request that starts with the values of this one. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** Collects the values of a request. The texts and the adapters may be null for none. */
  public static final class Builder {

    private String prompt;
    private String prompt2;
    private String prompt3;
    private String negativePrompt;
    private int width = 1024;
    private int height = 1024;
    private int numInferenceSteps = 28;
    private double guidanceScale = 3.5;
    private double trueCfgScale = 1;
    private int maxSequenceLength = 512;
    private long seed;
    private LoraBlend lora = LoraBlend.NONE;
    private SamplingEfficiency efficiency = SamplingEfficiency.NONE;

    private Builder(String prompt) {
      this.prompt = prompt;
    }

    private Builder(ImageRequest request) {
      prompt = request.prompt;
      prompt2 = request.prompt2.orElse(null);
      prompt3 = request.prompt3.orElse(null);
      negativePrompt = request.negativePrompt.orElse(null);
      width = request.width;
      height = request.height;
      numInferenceSteps = request.numInferenceSteps;
      guidanceScale = request.guidanceScale;
      trueCfgScale = request.trueCfgScale;
      maxSequenceLength = request.maxSequenceLength;
      seed = request.seed;
      lora = request.lora;
      efficiency = request.efficiency;
    }

    public Builder prompt(String text) {
      prompt = text;
      return this;
    }

    public Builder prompt2(String text) {
      prompt2 = text;
      return this;
    }

    public Builder prompt3(String text) {
      prompt3 = text;
      return this;
    }

    public Builder negativePrompt(String text) {
      negativePrompt = text;
      return this;
    }

    public Builder width(int pixels) {
      width = pixels;
      return this;
    }

    public Builder height(int pixels) {
      height = pixels;
      return this;
    }

    public Builder numInferenceSteps(int steps) {
      numInferenceSteps = steps;
      return this;
    }

    public Builder guidanceScale(double scale) {
      guidanceScale = scale;
      return this;
    }

    public Builder trueCfgScale(double scale) {
      trueCfgScale = scale;
      return this;
    }

    public Builder maxSequenceLength(int tokens) {
      maxSequenceLength = tokens;
      return this;
    }

    public Builder seed(long number) {
      seed = number;
      return this;
    }

    public Builder lora(LoraBlend adapters) {
      lora = adapters == null ? LoraBlend.NONE : adapters;
      return this;
    }

    public Builder efficiency(SamplingEfficiency parts) {
      efficiency = parts == null ? SamplingEfficiency.NONE : parts;
      return this;
    }

    public ImageRequest build() {
      return new ImageRequest(
          prompt,
          Optional.ofNullable(prompt2),
          Optional.ofNullable(prompt3),
          Optional.ofNullable(negativePrompt),
          width,
          height,
          numInferenceSteps,
          guidanceScale,
          trueCfgScale,
          maxSequenceLength,
          seed,
          lora,
          efficiency);
    }
  }
}
