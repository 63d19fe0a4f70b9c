package io.lightmill.pipeline.image;

import io.lightmill.pipeline.RgbImage;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;

/** Converts between {@link RgbImage} and the JDK's {@link BufferedImage}. */
public final class Pixels {

  private static final int CHANNELS = 3;

  private Pixels() {}

  /** A view of the image's bytes, which must not be modified. */
  public static BufferedImage view(RgbImage image) {
    WritableRaster raster =
        Raster.createInterleavedRaster(
            new DataBufferByte(image.rgb(), image.rgb().length),
            image.width(),
            image.height(),
            CHANNELS * image.width(),
            CHANNELS,
            new int[] {0, 1, 2},
            null);
    ComponentColorModel model =
        new ComponentColorModel(
            ColorSpace.getInstance(ColorSpace.CS_sRGB),
            false,
            false,
            ComponentColorModel.OPAQUE,
            DataBuffer.TYPE_BYTE);
    return new BufferedImage(model, raster, false, null);
  }

  public static RgbImage copy(BufferedImage image) {
    int width = image.getWidth();
    int height = image.getHeight();
    int[] argb =
        image.getType()
                == BufferedImage.TYPE_INT_RGB // the pixels as they are, without a lookup each
            ? (int[]) image.getRaster().getDataElements(0, 0, width, height, null)
            : image.getRGB(0, 0, width, height, null, 0, width);
    byte[] rgb = new byte[CHANNELS * argb.length];
    for (int i = 0; i < argb.length; i++) {
      rgb[CHANNELS * i] = (byte) (argb[i] >> 16);
      rgb[CHANNELS * i + 1] = (byte) (argb[i] >> 8);
      rgb[CHANNELS * i + 2] = (byte) argb[i];
    }
    return new RgbImage(width, height, rgb);
  }
}
