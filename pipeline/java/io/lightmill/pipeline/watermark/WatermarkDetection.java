package io.lightmill.pipeline.watermark;

/**
 * What a search for a watermark found.
 *
 * @param found whether the image has the mark: for an image without, the probability is at most
 *     {@code 1e-4}
 * @param score the highest correlation of phases, in standard deviations of one that has no mark
 * @param scale of the image against the one that was marked, such as 0.5
 */
public record WatermarkDetection(boolean found, double score, double scale) {

  /**
   * The score from which a mark is found: the highest of 64 × 64 × 9 Gaussian values exceeds it
   * with a probability of 36,864 × 1.5e-10, or 5.5e-6.
   */
  public static final double THRESHOLD = 6.3;
}
