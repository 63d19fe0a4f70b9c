package io.lightmill.pipeline.image;

import io.lightmill.pipeline.RgbImage;

/** Encodes pixels and their receipt as the bytes of one image object. */
public final class ImageEncoder {

  private ImageEncoder() {}

  /**
   * Encodes an image. The bytes contain neither time nor host: the same input gives the same bytes
   * on the same Java runtime (another zlib may compress the same pixels differently).
   *
   * <p>PNG is lossless. JPEG has quality 0.95 and full colour resolution, so that small coloured
   * text keeps its edges.
   */
  public static byte[] encode(RgbImage image, Receipt receipt, ImageFormat format) {
    return switch (format) {
      case PNG -> PngEncoder.encode(image, receipt);
      case JPEG -> JpegEncoder.encode(image, receipt);
    };
  }

  /** A JPEG without a receipt, such as a thumbnail. */
  public static byte[] jpeg(RgbImage image) {
    return JpegEncoder.plain(image);
  }

  /** A PNG without a receipt, such as a contact sheet. */
  public static byte[] png(RgbImage image) {
    return PngEncoder.encode(image);
  }
}
