package io.lightmill.pipeline.verify;

/**
 * The allowed difference between a quantity and its recording: {@code |x - r| <= absolute +
 * relative * |r|} for every element, and the mean of {@code |x - r|} within its own bound. Two
 * correct implementations in 32 bits agree within these bounds.
 */
record Tolerance(double absolute, double relative, double mean) {

  static final Tolerance EXACT = new Tolerance(0, 0, 0);
  static final Tolerance TEXT = of(2e-4, 1e-4);
  static final Tolerance TRANSFORMER = of(1e-4, 0);
  static final Tolerance LATENTS = of(2e-4, 0);

  /** Guidance of 7 and more magnifies rounding. */
  static final Tolerance GUIDED_LATENTS = of(5e-4, 0);

  static final Tolerance SCHEDULE = of(0, 2e-7);
  static final Tolerance IMAGE = new Tolerance(5e-5, 0, 5e-6);

  /** An image of a batch against the same image drawn alone. */
  static final Tolerance ALONE = of(1e-4, 0);

  private static Tolerance of(double absolute, double relative) {
    return new Tolerance(absolute, relative, Double.POSITIVE_INFINITY);
  }

  /** Compares element by element; NaN equals NaN alone. */
  Comparison compare(String caseName, Kind kind, String quantity, float[] found, float[] recorded) {
    if (found.length != recorded.length) {
      return Comparison.failed(
          caseName, kind, quantity, "length " + recorded.length + ", not " + found.length);
    }
    double largest = 0;
    double sum = 0;
    boolean holds = true;
    for (int i = 0; i < found.length; i++) {
      if (found[i] == recorded[i] || (Float.isNaN(found[i]) && Float.isNaN(recorded[i]))) {
        continue;
      }
      double difference = Math.abs((double) found[i] - recorded[i]);
      double bound = absolute + relative * Math.abs((double) recorded[i]);
      holds &= difference <= bound; // false for NaN
      sum += difference;
      double shown = isRelative() ? difference / Math.abs((double) recorded[i]) : difference;
      largest = Double.isNaN(shown) ? Double.POSITIVE_INFINITY : Math.max(largest, shown);
    }
    boolean meanHolds = found.length == 0 || sum / found.length <= mean;
    return new Comparison(caseName, kind, quantity, largest, words(), holds && meanHolds);
  }

  private boolean isRelative() {
    return absolute == 0 && relative > 0;
  }

  private String words() {
    if (absolute == 0 && relative == 0) {
      return "equal";
    }
    String words = absolute == 0 ? "" : "%.0e".formatted(absolute);
    if (relative > 0) {
      words += (words.isEmpty() ? "" : " + ") + "%.0e |x|".formatted(relative);
    }
    return Double.isInfinite(mean) ? words : words + ", mean %.0e".formatted(mean);
  }
}
