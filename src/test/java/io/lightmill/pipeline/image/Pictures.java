package io.lightmill.pipeline.image;

import io.lightmill.pipeline.RgbImage;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Random;
import javax.imageio.ImageIO;

/** Images for tests. */
public final class Pictures {

  private Pictures() {}

  /** Random bytes: no prediction fits, so that errors are visible. */
  public static RgbImage noise(int width, int height) {
    byte[] rgb = new byte[width * height * 3];
    new Random(7).nextBytes(rgb);
    return new RgbImage(width, height, rgb);
  }

  /** Two smooth gradients, and a hard vertical edge between saturated colours. */
  public static RgbImage slopes(int width, int height) {
    byte[] rgb = new byte[width * height * 3];
    for (int i = 0; i < width * height; i++) {
      int x = i % width;
      int y = i / width;
      rgb[3 * i] = (byte) (x < width / 2 ? 230 : 20);
      rgb[3 * i + 1] = (byte) (255 * y / height);
      rgb[3 * i + 2] = (byte) (x < width / 2 ? 30 : 220);
    }
    return new RgbImage(width, height, rgb);
  }

  public static RgbImage plain(int width, int height, int colour) {
    byte[] rgb = new byte[width * height * 3];
    for (int i = 0; i < rgb.length; i++) {
      rgb[i] = (byte) (colour >> (16 - 8 * (i % 3)));
    }
    return new RgbImage(width, height, rgb);
  }

  /** An image as the JDK's readers decode it. */
  public static RgbImage decoded(byte[] object) throws IOException {
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(object));
    byte[] rgb = new byte[image.getWidth() * image.getHeight() * 3];
    for (int y = 0, i = 0; y < image.getHeight(); y++) {
      for (int x = 0; x < image.getWidth(); x++, i += 3) {
        int pixel = image.getRGB(x, y);
        rgb[i] = (byte) (pixel >> 16);
        rgb[i + 1] = (byte) (pixel >> 8);
        rgb[i + 2] = (byte) pixel;
      }
    }
    return new RgbImage(image.getWidth(), image.getHeight(), rgb);
  }
}
