package io.lightmill.udfs.ml;

import io.lightmill.pipeline.image.ImageDecoder;
import java.awt.image.BufferedImage;
import org.apache.spark.ml.image.ImageSchema;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** An image file as a row of {@link ImageSchema#columnSchema}: 8-bit BGR, row by row. */
final class ImageStruct {

  private static final int CHANNELS = 3;
  private static final String TYPE = "CV_8UC3";

  private ImageStruct() {}

  /**
   * @param file null without an image
   * @param origin of the image
   * @return null without an image
   */
  static Row of(byte[] file, String origin) {
    if (file == null) {
      return null;
    }
    BufferedImage image =
        ImageDecoder.decode(file)
            .orElseThrow(() -> new IllegalStateException("this process has encoded the image"));
    int width = image.getWidth();
    int height = image.getHeight();
    int[] rgb = image.getRGB(0, 0, width, height, null, 0, width);
    byte[] bgr = new byte[rgb.length * CHANNELS];
    for (int i = 0; i < rgb.length; i++) {
      for (int channel = 0; channel < CHANNELS; channel++) {
        bgr[i * CHANNELS + channel] = (byte) (rgb[i] >> (Byte.SIZE * channel));
      }
    }
    return RowFactory.create(
        origin, height, width, CHANNELS, ImageSchema.javaOcvTypes().get(TYPE), bgr);
  }
}
