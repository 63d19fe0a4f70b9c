package io.lightmill.udfs.regenerate;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.ImageDecoder;
import io.lightmill.pipeline.image.ManifestEmbedding;
import io.lightmill.pipeline.image.PixelDifference;
import io.lightmill.pipeline.image.Pixels;
import java.util.Arrays;

/**
 * An image that was drawn again, beside the file that it was drawn from.
 *
 * @param file drawn again, in the same format, without a C2PA manifest
 * @param pixels how the decoded pixels of both files differ
 * @param sameFile whether the files have the same bytes, except for the C2PA manifest
 * @param signed whether the old file has a C2PA manifest
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record Regenerated(byte[] file, PixelDifference pixels, boolean sameFile, boolean signed) {

  static Regenerated compared(String name, byte[] stored, byte[] drawn) {
    RgbImage before = decoded(name, stored);
    RgbImage after = decoded(name, drawn);
    if (before.width() != after.width() || before.height() != after.height()) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "'%s' has %dx%d pixels, but its receipt says %dx%d; give the image as Lightmill stored it"
              .formatted(name, before.width(), before.height(), after.width(), after.height()));
    }
    byte[] unsigned = ManifestEmbedding.removed(stored);
    return new Regenerated(
        drawn,
        PixelDifference.of(before, after),
        Arrays.equals(unsigned, drawn),
        unsigned.length < stored.length);
  }

  private static RgbImage decoded(String name, byte[] file) {
    return ImageDecoder.decode(file)
        .map(Pixels::copy)
        .orElseThrow(
            () ->
                new LightmillException(
                    ErrorCode.INPUT_INVALID,
                    "the pixels of '%s' cannot be decoded, or are more than %d; fetch it again"
                        .formatted(name, ImageDecoder.MOST_PIXELS)));
  }
}
