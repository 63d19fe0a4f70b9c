package io.lightmill.pipeline.checks;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import java.util.Optional;

/**
 * Finds images of one colour: all values of a channel lie within {@value #RANGE} of 255 of each
 * other. A network whose numbers overflow, or whose weights are damaged, draws such images; an
 * intact one gives even a plain background more texture than that, so that the check of its images
 * ends after a few rows.
 */
final class BlankCheck {

  /** Difference of the greatest and the least value of a channel, in steps of 8 bits. */
  static final int RANGE = 2;

  private static final int CHANNELS = 3;

  private BlankCheck() {}

  /** The failure of an image of one colour; empty for any other. */
  static Optional<LightmillException> failure(RgbImage image) {
    byte[] rgb = image.rgb();
    for (int channel = 0; channel < CHANNELS; channel++) {
      int least = 255;
      int greatest = 0;
      for (int i = channel; i < rgb.length; i += CHANNELS) {
        int value = rgb[i] & 0xff;
        least = Math.min(least, value);
        greatest = Math.max(greatest, value);
        if (greatest - least > RANGE) {
          return Optional.empty();
        }
      }
    }
    return Optional.of(
        new LightmillException(
            ErrorCode.IMAGE_BLANK,
            "the image has one colour (red %d, green %d, blue %d, within %d of 255), as networks draw it whose numbers overflow or whose weights are damaged; use another dtype or fetch the checkpoint again, or keep such images (--blank-images=keep)"
                .formatted(
                    Byte.toUnsignedInt(rgb[0]),
                    Byte.toUnsignedInt(rgb[1]),
                    Byte.toUnsignedInt(rgb[2]),
                    RANGE)));
  }
}
