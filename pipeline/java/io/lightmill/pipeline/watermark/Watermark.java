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
  private static final double STRENGTH = 0.25;

  /** More is seen in strong textures too. */
  private static final float MOST_LEVELS = 5;

  /** Steps of 2^32 between the thresholds of neighbouring pixels (Roberts' R2 sequence). */
  private static final int STEP_X = (int) 3242174889L;

  private static final int STEP_Y = (int) 2447445414L;

  private static final int TILE = TileSpectrum.SIDE - 1;

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
    Texture texture = Texture.of(Luminance.of(image));
    float[] tile = tile(texture.folded());
    byte[] rgb = image.rgb().clone();
    for (int y = 0, i = 0; y < image.height(); y++) {
      int row = (y & TILE) * TileSpectrum.SIDE;
      int threshold = y * STEP_Y;
      for (int x = 0; x < image.width(); x++, i++, threshold += STEP_X) {
        float change = texture.deviation()[i] * tile[row + (x & TILE)];
        int levels = rounded(change, threshold);
        if (levels != 0) {
          add(rgb, 3 * i, levels);
        }
      }
    }
    return new RgbImage(image.width(), image.height(), rgb);
  }

  /** Rounds up or down by a fixed pattern, so that changes of less than a level are not lost. */
  private static int rounded(float change, int threshold) {
    float limited =
        change > MOST_LEVELS ? MOST_LEVELS : change < -MOST_LEVELS ? -MOST_LEVELS : change;
    int above = 16; // a cast truncates, which is the floor of a positive number
    return (int) (limited + above + (threshold >>> 8) * 0x1p-24f) - above;
  }

  private static void add(byte[] rgb, int start, int levels) {
    for (int channel = start; channel < start + 3; channel++) {
      int value = (rgb[channel] & 0xff) + levels;
      rgb[channel] = (byte) (value < 0 ? 0 : value > 255 ? 255 : value);
    }
  }

  /**
   * The tile to add, in deviations: in the phases of the key, stronger where the image itself has a
   * frequency in another phase.
   */
  private float[] tile(TileSpectrum host) {
    float[] weights = new float[WatermarkPattern.size()];
    double energy = 0;
    for (int i = 0; i < weights.length; i++) {
      int index = WatermarkPattern.index(i);
      float re = host.real()[index];
      float im = host.imaginary()[index];
      float along = re * pattern.cosine(i) + im * pattern.sine(i);
      float across = im * pattern.cosine(i) - re * pattern.sine(i);
      // Where the phase is right already, less is needed.
      float wanted = 1 + (Math.abs(across) - along) / (8 * TileSpectrum.SIDE);
      weights[i] = Math.max(0.4f, Math.min(2, wanted));
      energy += 2 * weights[i] * weights[i];
    }
    float scale = (float) (STRENGTH / Math.sqrt(energy));
    TileSpectrum mark = new TileSpectrum();
    for (int i = 0; i < weights.length; i++) {
      float weight = scale * weights[i];
      mark.set(
          WatermarkPattern.u(i),
          WatermarkPattern.v(i),
          weight * pattern.cosine(i),
          weight * pattern.sine(i));
    }
    return mark.tile();
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
