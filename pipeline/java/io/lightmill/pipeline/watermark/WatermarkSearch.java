package io.lightmill.pipeline.watermark;

import io.lightmill.pipeline.RgbImage;
import java.util.ArrayList;
import java.util.List;

/** The tiles of an image at all sizes that it may have been scaled to, to compare with patterns. */
public final class WatermarkSearch {

  /** Of the image against the one that was marked. */
  private static final double[] SCALES = {1, 0.5, 0.75, 2.0 / 3, 0.8, 0.9, 1.25, 1.5, 2};

  private final List<TileSpectrum> tiles = new ArrayList<>();

  public WatermarkSearch(RgbImage image) {
    Luminance luminance = Luminance.of(image);
    for (double scale : SCALES) {
      Luminance scaled = scale == 1 ? luminance : luminance.scaled(1 / scale);
      tiles.add(whitened(Texture.of(scaled).folded()));
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
  private static TileSpectrum whitened(TileSpectrum tile) {
    TileSpectrum phases = new TileSpectrum();
    for (int i = 0; i < WatermarkPattern.size(); i++) {
      int index = WatermarkPattern.index(i);
      double magnitude = Math.hypot(tile.real()[index], tile.imaginary()[index]);
      if (magnitude > 1e-6) {
        phases.real()[index] = (float) (tile.real()[index] / magnitude);
        phases.imaginary()[index] = (float) (tile.imaginary()[index] / magnitude);
      }
    }
    return phases;
  }

  /**
   * The highest of the correlations at all shifts: sums of the cosines of phase differences, whose
   * variance is a half each where there is no mark.
   */
  private static double score(TileSpectrum phases, WatermarkPattern pattern) {
    TileSpectrum product = new TileSpectrum();
    for (int i = 0; i < WatermarkPattern.size(); i++) {
      int index = WatermarkPattern.index(i);
      float re = phases.real()[index];
      float im = phases.imaginary()[index];
      product.set(
          WatermarkPattern.u(i),
          WatermarkPattern.v(i),
          re * pattern.cosine(i) + im * pattern.sine(i),
          im * pattern.cosine(i) - re * pattern.sine(i));
    }
    float highest = 0;
    for (float value : product.tile()) {
      highest = Math.max(highest, value);
    }
    // Each frequency counts twice, since its conjugate has the same cosine.
    return highest / 2 / Math.sqrt(WatermarkPattern.size() / 2.0);
  }
}
