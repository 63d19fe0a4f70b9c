package io.lightmill.pipeline.watermark;

/** Folds an image into one tile of a watermark. */
final class Tile {

  /** Larger differences are edges of the image, in which a mark does not show. */
  private static final double EDGE = 1.5;

  private Tile() {}

  /**
   * The spectrum of the mean of all tiles, where each pixel is its difference to the mean of its
   * surroundings in their deviations.
   */
  static Spectrum folded(Luminance image, Luminance mean, float[] deviation) {
    int side = WatermarkPattern.SIDE;
    double[] sums = new double[side * side];
    int[] counts = new int[side * side];
    for (int y = 0, i = 0; y < image.height(); y++) {
      int row = y % side * side;
      for (int x = 0; x < image.width(); x++, i++) {
        int at = row + x % side;
        float difference = (image.values()[i] - mean.values()[i]) / deviation[i];
        sums[at] += Math.abs(difference) > EDGE ? 0 : difference;
        counts[at]++;
      }
    }
    for (int i = 0; i < sums.length; i++) {
      sums[i] = counts[i] == 0 ? 0 : sums[i] / counts[i];
    }
    return Spectrum.of(side, sums);
  }
}
