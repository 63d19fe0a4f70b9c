package io.lightmill.pipeline;

/**
 * What a checkpoint accepts and what it does unless told otherwise. Read from its configs and its
 * model card, before any weight is loaded.
 *
 * @param sizeMultiple width and height must be multiples of this many pixels
 * @param maxPixels largest width × height
 * @param maxSequenceLength most prompt tokens that the long text encoder takes, padding included
 * @param defaults the values of a request that names none
 */
public record PipelineLimits(
    int sizeMultiple, long maxPixels, int maxSequenceLength, Defaults defaults) {

  /**
   * Values of a request that names none.
   *
   * @param width in pixels
   * @param height in pixels
   * @param numInferenceSteps transformer evaluations
   * @param guidanceScale embedded guidance
   * @param trueCfgScale classifier-free guidance where a negative prompt is given
   */
  public record Defaults(
      int width, int height, int numInferenceSteps, double guidanceScale, double trueCfgScale) {}
}
