package io.lightmill.pipeline.image;

import io.lightmill.pipeline.RgbImage;

/** Encodes pixels and their receipt as the bytes of one image object. */
public final class ImageEncoder {

  private static final int THUMBNAIL_QUALITY = 72;

  private ImageEncoder() {}

  /** Encodes an image with the defaults of its format and without further labels. */
  public static byte[] encode(RgbImage image, Receipt receipt, ImageFormat format) {
    return encode(image, receipt, ImageLabels.NONE, FileFormat.of(format));
  }

  /**
   * Encodes an image. The bytes contain no host, and no time unless the labels have one: the same
   * input gives the same bytes on the same Java runtime (another zlib may compress the same pixels
   * differently).
   *
   * <p>PNG and WebP are lossless by default. JPEG has quality 95 by default and full colour
   * resolution, so that small coloured text keeps its edges.
   */
  public static byte[] encode(
      RgbImage image, Receipt receipt, ImageLabels labels, FileFormat file) {
    return switch (file.format()) {
      case PNG -> PngEncoder.encode(image, receipt, labels);
      case JPEG -> JpegEncoder.encode(image, receipt, labels, file);
      case WEBP -> WebpEncoder.encode(image, receipt, labels, file);
    };
  }

  /** A JPEG without a receipt, such as a thumbnail. */
  public static byte[] jpeg(RgbImage image) {
    return JpegEncoder.plain(image);
  }

  /** A small copy of an image, as a lossy WebP without a receipt. */
  public static byte[] thumbnail(RgbImage image) {
    return WebpEncoder.plain(image, new FileFormat(ImageFormat.WEBP, THUMBNAIL_QUALITY));
  }

  /** A PNG without a receipt, such as a contact sheet. */
  public static byte[] png(RgbImage image) {
    return PngEncoder.encode(image);
  }
}
