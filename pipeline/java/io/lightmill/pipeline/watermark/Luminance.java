package io.lightmill.pipeline.watermark;

import io.lightmill.pipeline.RgbImage;

/**
 * The brightness of an image, in levels of 0 to 255, and how much it varies around each pixel.
 *
 * @param values row by row
 */
@SuppressWarnings("ArrayRecordComponent") // buffers, never compared
record Luminance(int width, int height, float[] values) {

  /** Around a pixel, on each side: 17 × 17 pixels at the size at which the mark is embedded. */
  private static final int RADIUS = 8;

  /** Of plain areas, so that what is embedded there stays below what one sees. */
  static final float FLOOR = 3;

  static Luminance of(RgbImage image) {
    byte[] rgb = image.rgb();
    float[] values = new float[image.width() * image.height()];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          0.299f * (rgb[3 * i] & 0xff)
              + 0.587f * (rgb[3 * i + 1] & 0xff)
              + 0.114f * (rgb[3 * i + 2] & 0xff);
    }
    return new Luminance(image.width(), image.height(), values);
  }

  /** Enlarged or reduced, by the nearest four pixels. */
  Luminance scaled(double scale) {
    int wide = Math.max(1, (int) Math.round(width * scale));
    int high = Math.max(1, (int) Math.round(height * scale));
    float[] result = new float[wide * high];
    for (int y = 0; y < high; y++) {
      double row = Math.max(0, Math.min(height - 1.0, (y + 0.5) * height / high - 0.5));
      int top = (int) row;
      int bottom = Math.min(height - 1, top + 1);
      float down = (float) (row - top);
      for (int x = 0; x < wide; x++) {
        double column = Math.max(0, Math.min(width - 1.0, (x + 0.5) * width / wide - 0.5));
        int left = (int) column;
        int right = Math.min(width - 1, left + 1);
        float along = (float) (column - left);
        float above =
            values[top * width + left] * (1 - along) + values[top * width + right] * along;
        float below =
            values[bottom * width + left] * (1 - along) + values[bottom * width + right] * along;
        result[y * wide + x] = above * (1 - down) + below * down;
      }
    }
    return new Luminance(wide, high, result);
  }

  /** The mean around each pixel. */
  Luminance mean() {
    return new Luminance(width, height, blurred(values));
  }

  /** The standard deviation around each pixel, at least {@link #FLOOR}. */
  float[] deviation(Luminance mean) {
    float[] squares = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      float difference = values[i] - mean.values[i];
      squares[i] = difference * difference;
    }
    float[] deviation = blurred(squares);
    for (int i = 0; i < deviation.length; i++) {
      // Sums of floats leave a little less than nothing in plain areas.
      deviation[i] = Math.max(FLOOR, (float) Math.sqrt(Math.max(0, deviation[i])));
    }
    return deviation;
  }

  /** The mean of the pixels around each, of those that exist. */
  private float[] blurred(float[] pixels) {
    float[] rows = new float[pixels.length];
    for (int y = 0; y < height; y++) {
      blur(pixels, rows, y * width, 1, width);
    }
    float[] result = new float[pixels.length];
    for (int x = 0; x < width; x++) {
      blur(rows, result, x, width, height);
    }
    return result;
  }

  private static void blur(float[] in, float[] out, int start, int step, int count) {
    double sum = 0;
    int pixels = 0;
    for (int i = 0; i < Math.min(RADIUS, count); i++) {
      sum += in[start + i * step];
      pixels++;
    }
    for (int i = 0; i < count; i++) {
      if (i + RADIUS < count) {
        sum += in[start + (i + RADIUS) * step];
        pixels++;
      }
      if (i - RADIUS - 1 >= 0) {
        sum -= in[start + (i - RADIUS - 1) * step];
        pixels--;
      }
      out[start + i * step] = (float) (sum / pixels);
    }
  }
}
