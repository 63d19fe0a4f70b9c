package io.lightmill.pipeline;

import java.util.Arrays;

/**
 * An image with 8 bits per channel.
 *
 * @param width in pixels
 * @param height in pixels
 * @param rgb {@code height * width * 3} bytes, rows from the top, red first; owned by this image
 *     and not to be changed
 */
@SuppressWarnings("ArrayRecordComponent") // a buffer that is passed on; images are never compared
public record RgbImage(int width, int height, byte[] rgb) {

  private static final int CHANNELS = 3;

  public RgbImage {
    if (rgb.length != Math.multiplyExact(Math.multiplyExact(width, height), CHANNELS)) {
      throw new IllegalArgumentException(
          "%d bytes for a %dx%d RGB image".formatted(rgb.length, width, height));
    }
  }

  /** Whether all pixels are equal. */
  public boolean isBlank() {
    return Arrays.equals(rgb, 0, rgb.length - CHANNELS, rgb, CHANNELS, rgb.length);
  }
}
