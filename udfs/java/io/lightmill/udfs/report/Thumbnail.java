package io.lightmill.udfs.report;

import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.image.ImageDecoder;
import io.lightmill.pipeline.image.Pixels;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.Optional;

/** Small copies of images. */
public final class Thumbnail {

  private Thumbnail() {}

  /**
   * Decodes an image object and shrinks it.
   *
   * @param object a PNG, JPEG or WebP
   * @param maxSide of the result, in pixels; smaller images stay as they are
   * @return empty where the bytes are not an image
   */
  public static Optional<RgbImage> read(byte[] object, int maxSide) {
    return ImageDecoder.decode(object).map(image -> Pixels.copy(within(image, maxSide, maxSide)));
  }

  /** Shrinks an image; smaller ones stay as they are. */
  public static RgbImage of(RgbImage image, int maxSide) {
    return image.width() <= maxSide && image.height() <= maxSide
        ? image
        : Pixels.copy(within(Pixels.view(image), maxSide, maxSide));
  }

  /**
   * The largest copy that fits, in the image's own proportions. Halves first, since bilinear
   * scaling by more than two skips pixels.
   */
  static BufferedImage within(BufferedImage image, int maxWidth, int maxHeight) {
    double scale =
        Math.min(
            1,
            Math.min((double) maxWidth / image.getWidth(), (double) maxHeight / image.getHeight()));
    int width = Math.max(1, (int) Math.round(image.getWidth() * scale));
    int height = Math.max(1, (int) Math.round(image.getHeight() * scale));
    BufferedImage current = image;
    while (current.getWidth() >= 2 * width && current.getHeight() >= 2 * height) {
      current = scaled(current, current.getWidth() / 2, current.getHeight() / 2);
    }
    return scaled(current, width, height);
  }

  private static BufferedImage scaled(BufferedImage image, int width, int height) {
    BufferedImage result = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = result.createGraphics();
    graphics.setRenderingHint(
        RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
    graphics.drawImage(image, 0, 0, width, height, null);
    graphics.dispose();
    return result;
  }
}
