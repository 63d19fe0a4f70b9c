package io.lightmill.pipeline;

import java.util.Objects;
import java.util.Optional;

/**
 * One image to draw, with every value decided. The names are those of diffusers' pipeline
 * arguments.
 *
 * @param prompt what to draw
 * @param prompt2 what the second text encoder reads instead, where a pipeline has one
 * @param prompt3 what the third text encoder reads instead, where a pipeline has one
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
    LoraBlend lora) {

  public ImageRequest {
    Objects.requireNonNull(prompt, "prompt");
    Objects.requireNonNull(prompt2, "prompt2");
    Objects.requireNonNull(prompt3, "prompt3");
    Objects.requireNonNull(negativePrompt, "negativePrompt");
    Objects.requireNonNull(lora, "lora");
  }

  /** A request without adapters. */
  public ImageRequest(
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
      long seed) {
    this(
        prompt,
        prompt2,
        prompt3,
        negativePrompt,
        width,
        height,
        numInferenceSteps,
        guidanceScale,
        trueCfgScale,
        maxSequenceLength,
        seed,
        LoraBlend.NONE);
  }

  /** A request without adapters whose one prompt is read by all text encoders. */
  public ImageRequest(
      String prompt,
      Optional<String> negativePrompt,
      int width,
      int height,
      int numInferenceSteps,
      double guidanceScale,
      double trueCfgScale,
      int maxSequenceLength,
      long seed) {
    this(
        prompt,
        Optional.empty(),
        Optional.empty(),
        negativePrompt,
        width,
        height,
        numInferenceSteps,
        guidanceScale,
        trueCfgScale,
        maxSequenceLength,
        seed);
  }

  /** This request with these adapters. */
  public ImageRequest with(LoraBlend adapters) {
    return new ImageRequest(
        prompt,
        prompt2,
        prompt3,
        negativePrompt,
        width,
        height,
        numInferenceSteps,
        guidanceScale,
        trueCfgScale,
        maxSequenceLength,
        seed,
        adapters);
  }
}
