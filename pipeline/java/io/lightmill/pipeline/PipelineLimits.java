package io.lightmill.pipeline;

import java.io.Serializable;

/**
 * What a checkpoint accepts, and its defaults. Read from its configs and its model card, before any
 * weight is loaded.
 *
 * @param sizeMultiple width and height must be multiples of this many pixels
 * @param maxSide largest width, and largest height, in pixels
 * @param maxPixels largest width × height
 * @param maxSequenceLength most prompt tokens that the long text encoder takes, padding included
 * @param minInferenceSteps fewest steps that the scheduler has noise levels for
 * @param guidance the argument that turns classifier-free guidance on
 * @param defaults the values of a request that has none
 * @param efficient the sampling of the efficient tier
 * @param sizes limits of sizes beside the others
 */
public record PipelineLimits(
    int sizeMultiple,
    int maxSide,
    long maxPixels,
    int maxSequenceLength,
    int minInferenceSteps,
    ClassifierFreeGuidance guidance,
    Defaults defaults,
    SamplingEfficiency efficient,
    ImageSizes sizes)
    implements Serializable {

  /** Limits without further ones of sizes. */
  public PipelineLimits(
      int sizeMultiple,
      int maxSide,
      long maxPixels,
      int maxSequenceLength,
      int minInferenceSteps,
      ClassifierFreeGuidance guidance,
      Defaults defaults,
      SamplingEfficiency efficient) {
    this(
        sizeMultiple,
        maxSide,
        maxPixels,
        maxSequenceLength,
        minInferenceSteps,
        guidance,
        defaults,
        efficient,
        ImageSizes.ANY);
  }

  /** Limits of a pipeline without an efficient tier. */
  public PipelineLimits(
      int sizeMultiple,
      int maxSide,
      long maxPixels,
      int maxSequenceLength,
      int minInferenceSteps,
      ClassifierFreeGuidance guidance,
      Defaults defaults) {
    this(
        sizeMultiple,
        maxSide,
        maxPixels,
        maxSequenceLength,
        minInferenceSteps,
        guidance,
        defaults,
        SamplingEfficiency.NONE);
  }

  /** These limits with another efficient tier. */
  public PipelineLimits withEfficient(SamplingEfficiency sampling) {
    return new PipelineLimits(
        sizeMultiple,
        maxSide,
        maxPixels,
        maxSequenceLength,
        minInferenceSteps,
        guidance,
        defaults,
        sampling,
        sizes);
  }

  /**
   * Values of a request that has none.
   *
   * @param width in pixels
   * @param height in pixels
   * @param numInferenceSteps transformer evaluations
   * @param guidanceScale of {@link ImageRequest}
   * @param trueCfgScale of {@link ImageRequest}
   * @param maxSequenceLength prompt tokens, padding included
   */
  public record Defaults(
      int width,
      int height,
      int numInferenceSteps,
      double guidanceScale,
      double trueCfgScale,
      int maxSequenceLength)
      implements Serializable {}
}
