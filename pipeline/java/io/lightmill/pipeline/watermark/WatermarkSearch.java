package io.lightmill.pipeline.watermark;

import io.lightmill.pipeline.RgbImage;
import java.util.ArrayList;
import java.util.List;

/** The tiles of an image at all sizes that it may have been scaled to, to compare with patterns. */
public final class WatermarkSearch {

  /** Of the image against the one that was marked. */
  private static final double[] SCALES = {1, 0.5, 0.75, 2.0 / 3, 0.8, 0.9, 1.25, 1.5, 2};

  private final List<Spectrum> tiles = new ArrayList<>();

  public WatermarkSearch(RgbImage image) {
    Luminance luminance = Luminance.of(image);
    for (double scale : SCALES) {
      Luminance scaled = scale == 1 ? luminance : luminance.scaled(1 / scale);
      Luminance mean = scaled.mean();
      tiles.add(whitened(Tile.folded(scaled, mean, scaled.deviation())));
    }
  }

  WatermarkDetection find(WatermarkPattern pattern) {
    WatermarkDetection best = new WatermarkDetection(false, 0, 1);
    for (int i = 0; i < SCALES.length; i++) {
      double score = score(tiles.get(i), pattern);
      if (score > best.score()) {
        best = new WatermarkDetection(score >= WatermarkDetection.THRESHOLD, score, SCALES[i]);
      }
    }
    return best;
  }

  /** Only phases: no frequency of the image counts more than another. */
  private static Spectrum whitened(Spectrum tile) {
    Spectrum phases = new Spectrum(tile.side());
    for (int i = 0; i < WatermarkPattern.size(); i++) {
      int index = WatermarkPattern.index(i);
      double magnitude = Math.hypot(tile.real()[index], tile.imaginary()[index]);
      if (magnitude > 1e-9) {
        phases.real()[index] = tile.real()[index] / magnitude;
        phases.imaginary()[index] = tile.imaginary()[index] / magnitude;
      }
    }
    return phases;
  }

  /**
   * The highest of the correlations at all shifts: sums of the cosines of phase differences, whose
   * variance is a half each where there is no mark.
   */
  private static double score(Spectrum phases, WatermarkPattern pattern) {
    Spectrum product = new Spectrum(phases.side());
    for (int i = 0; i < WatermarkPattern.size(); i++) {
      int index = WatermarkPattern.index(i);
      double re = phases.real()[index];
      double im = phases.imaginary()[index];
      product.real()[index] = re * pattern.cosine(i) + im * pattern.sine(i);
      product.imaginary()[index] = im * pattern.cosine(i) - re * pattern.sine(i);
    }
    double highest = 0;
    for (double value : product.inverse()) {
      highest = Math.max(highest, value);
    }
    int pixels = phases.side() * phases.side();
    return highest * pixels / Math.sqrt(WatermarkPattern.size() / 2.0);
  }
}
