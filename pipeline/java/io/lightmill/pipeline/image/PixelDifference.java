package io.lightmill.pipeline.image;

import io.lightmill.pipeline.RgbImage;

/**
 * How two images of one size differ.
 *
 * @param pixels of each image
 * @param differing pixels that are not equal
 * @param most greatest difference of a channel, in levels of 0 to 255
 */
public record PixelDifference(int pixels, int differing, int most) {

  private static final int CHANNELS = 3;

  /**
   * Compares two images.
   *
   * @throws IllegalArgumentException if their sizes differ
   */
  public static PixelDifference of(RgbImage one, RgbImage other) {
    if (one.width() != other.width() || one.height() != other.height()) {
      throw new IllegalArgumentException(
          "%dx%d and %dx%d pixels"
              .formatted(one.width(), one.height(), other.width(), other.height()));
    }
    byte[] a = one.rgb();
    byte[] b = other.rgb();
    int differing = 0;
    int most = 0;
    for (int pixel = 0; pixel < a.length; pixel += CHANNELS) {
      int difference = 0;
      for (int i = pixel; i < pixel + CHANNELS; i++) {
        difference = Math.max(difference, Math.abs((a[i] & 0xff) - (b[i] & 0xff)));
      }
      differing += difference > 0 ? 1 : 0;
      most = Math.max(most, difference);
    }
    return new PixelDifference(one.width() * one.height(), differing, most);
  }

  public boolean none() {
    return differing == 0;
  }
}
