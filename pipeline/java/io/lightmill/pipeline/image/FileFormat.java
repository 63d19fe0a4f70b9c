package io.lightmill.pipeline.image;

import java.io.Serializable;
import java.util.OptionalInt;

/**
 * The format of an image file and how it is compressed.
 *
 * @param quality 1 to 100, of formats that lose information; 0 for the default of the format
 */
public record FileFormat(ImageFormat format, int quality) implements Serializable {

  static final int DEFAULT_JPEG_QUALITY = 95;

  public FileFormat {
    if (quality < 0 || quality > 100 || (quality > 0 && format == ImageFormat.PNG)) {
      throw new IllegalArgumentException("quality %d of %s".formatted(quality, format));
    }
    if (format == ImageFormat.JPEG && quality == DEFAULT_JPEG_QUALITY) {
      quality = 0;
    }
  }

  /** The format with its default: PNG and WebP lossless, JPEG of quality 95. */
  public static FileFormat of(ImageFormat format) {
    return new FileFormat(format, 0);
  }

  /** The quality where it is not the default of the format: then it decides pixels. */
  public OptionalInt chosenQuality() {
    return quality == 0 ? OptionalInt.empty() : OptionalInt.of(quality);
  }
}
