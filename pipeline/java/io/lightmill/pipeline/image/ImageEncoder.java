package io.lightmill.pipeline.image;

import io.lightmill.pipeline.RgbImage;

/** Turns pixels and their receipt into the bytes of one image object. */
public final class ImageEncoder {

  private ImageEncoder() {}

  /**
   * The bytes of one image object. They hold no time and no host: the same input gives the same
   * bytes on the same Java runtime (another zlib may pack the same pixels otherwise).
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

  /** JPEG bytes of a picture for the eye, such as a thumbnail: without a receipt. */
  public static byte[] jpeg(RgbImage image) {
    return JpegEncoder.plain(image);
  }

  /** PNG bytes of a picture that no model drew, such as a contact sheet: without a receipt. */
  public static byte[] png(RgbImage image) {
    return PngEncoder.encode(image);
  }
}
