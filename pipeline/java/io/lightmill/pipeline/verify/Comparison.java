package io.lightmill.pipeline.verify;

/**
 * The difference between one quantity and its recording.
 *
 * @param caseName of the recorded call
 * @param kind of the quantity
 * @param quantity in words, such as {@code transformer, call 3}
 * @param difference the largest, absolute or relative as the limit says; infinite where shapes
 *     differ, where one of the two is NaN, or where the quantity was not computed
 * @param limit in words
 * @param holds whether every element is within the limit
 */
public record Comparison(
    String caseName, Kind kind, String quantity, double difference, String limit, boolean holds) {

  /** The failed one of two comparisons, or the one with the larger difference. */
  Comparison worse(Comparison other) {
    if (holds != other.holds) {
      return holds ? other : this;
    }
    return other.difference > difference ? other : this;
  }

  /** A quantity that cannot be compared; its limit is the requirement that it fails. */
  static Comparison failed(String caseName, Kind kind, String quantity, String requirement) {
    return new Comparison(
        caseName, kind, quantity, Double.POSITIVE_INFINITY, requirement, /* holds= */ false);
  }
}
