package io.lightmill.pipeline.watermark;

import io.lightmill.pipeline.RgbImage;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * An imperceptible watermark that a key decides: it says whether an image was marked with that key,
 * and carries no message.
 *
 * <p>An image repeats a pattern of 64 × 64 pixels whose spectrum has phases of the key (a spread
 * spectrum, Cox et al. 1997; a periodic mark, Kutter 1998). Each pixel gets it in proportion to the
 * deviation of its surroundings, so that plain areas get little and textures much. The detector
 * divides by that deviation, folds the image into one tile, and compares the phases of its spectrum
 * with the key's at every shift, as phase correlation does (Kuglin and Hines, 1975). Whatever an
 * image without the mark shows, its phases have nothing to do with a key's.
 */
public final class Watermark {

  /** Of a mark, in deviations of the surroundings. */
  private static final double STRENGTH = 0.2;

  /** More is seen in strong textures too. */
  private static final float MOST_LEVELS = 5;

  private final WatermarkPattern pattern;

  /**
   * @param key any text; who knows it can detect the mark, and imitate it
   */
  public Watermark(String key) {
    this.pattern = new WatermarkPattern(key);
  }

  /** Eight hex digits that differ from key to key, for the identity of marked images. */
  public static String fingerprint(String key) {
    return DigestUtils.sha256Hex("lightmill watermark fingerprint " + key).substring(0, 8);
  }

  /** The image with the mark. The same image and key give the same pixels. */
  public RgbImage embed(RgbImage image) {
    Luminance luminance = Luminance.of(image);
    Luminance mean = luminance.mean();
    float[] deviation = luminance.deviation();
    double[] tile = tile(Tile.folded(luminance, mean, deviation));
    byte[] rgb = image.rgb().clone();
    for (int y = 0, i = 0; y < image.height(); y++) {
      int row = y % WatermarkPattern.SIDE * WatermarkPattern.SIDE;
      for (int x = 0; x < image.width(); x++, i++) {
        double change = deviation[i] * tile[row + x % WatermarkPattern.SIDE];
        add(rgb, 3 * i, Math.max(-MOST_LEVELS, Math.min(MOST_LEVELS, change)), x, y);
      }
    }
    return new RgbImage(image.width(), image.height(), rgb);
  }

  /** Rounds up or down by a fixed pattern, so that changes of less than a level are not lost. */
  private static void add(byte[] rgb, int start, double change, int x, int y) {
    double threshold = ((x * 0.7548776662466927 + y * 0.5698402909980532) % 1 + 1) % 1;
    int levels = (int) Math.floor(change + threshold);
    for (int channel = start; channel < start + 3; channel++) {
      rgb[channel] = (byte) Math.max(0, Math.min(255, (rgb[channel] & 0xff) + levels));
    }
  }

  /**
   * The tile to add, in deviations: in the phases of the key, stronger where the image itself has a
   * frequency in another phase.
   */
  private double[] tile(Spectrum host) {
    double[] weights = new double[WatermarkPattern.size()];
    double energy = 0;
    for (int i = 0; i < weights.length; i++) {
      int index = WatermarkPattern.index(i);
      double along =
          host.real()[index] * pattern.cosine(i) + host.imaginary()[index] * pattern.sine(i);
      double across =
          host.imaginary()[index] * pattern.cosine(i) - host.real()[index] * pattern.sine(i);
      // Where the phase is right already, less is needed.
      weights[i] =
          Math.max(0.4, Math.min(2, 1 + (Math.abs(across) - along) / (8 * WatermarkPattern.SIDE)));
      energy += 2 * weights[i] * weights[i];
    }
    int pixels = WatermarkPattern.SIDE * WatermarkPattern.SIDE;
    double scale = STRENGTH * pixels / Math.sqrt(energy);
    Spectrum mark = new Spectrum(WatermarkPattern.SIDE);
    for (int i = 0; i < weights.length; i++) {
      double real = scale * weights[i] * pattern.cosine(i);
      double imaginary = scale * weights[i] * pattern.sine(i);
      mark.real()[WatermarkPattern.index(i)] = real;
      mark.imaginary()[WatermarkPattern.index(i)] = imaginary;
      mark.real()[WatermarkPattern.conjugate(i)] = real;
      mark.imaginary()[WatermarkPattern.conjugate(i)] = -imaginary;
    }
    return mark.inverse();
  }

  /** Looks for the mark. */
  public WatermarkDetection detect(RgbImage image) {
    return detect(new WatermarkSearch(image));
  }

  /** Looks for the mark in an image that is searched for several keys. */
  public WatermarkDetection detect(WatermarkSearch image) {
    return image.find(pattern);
  }
}
