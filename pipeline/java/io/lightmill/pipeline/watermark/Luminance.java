package io.lightmill.pipeline.watermark;

import io.lightmill.pipeline.RgbImage;

/**
 * The brightness of an image, in levels of 0 to 255, and how much it varies around each pixel.
 *
 * @param values row by row
 */
@SuppressWarnings("ArrayRecordComponent") // buffers, never compared
record Luminance(int width, int height, float[] values) {

  /** Of the mean around a pixel, on each side. */
  private static final int MEAN_RADIUS = 3;

  /** Of the deviation around a pixel. */
  private static final int RADIUS = 3;

  /** Within this distance of a plain area, a pixel counts as plain: an edge hides nothing beside it. */
  private static final int PLAIN_RADIUS = 4;

  /** Of plain areas, so that what is embedded there stays below what one sees. */
  static final float FLOOR = 2.5f;

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
    return new Luminance(width, height, blurred(values, MEAN_RADIUS));
  }

  /**
   * How much each pixel may change: the standard deviation around it, or the least of those near
   * it, at least {@link #FLOOR}.
   */
  float[] deviation() {
    float[] mean = blurred(values, RADIUS);
    float[] squares = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      float difference = values[i] - mean[i];
      squares[i] = difference * difference;
    }
    float[] deviation = least(blurred(squares, RADIUS));
    for (int i = 0; i < deviation.length; i++) {
      // Sums of floats leave a little less than nothing in plain areas.
      deviation[i] = Math.max(FLOOR, (float) Math.sqrt(Math.max(0, deviation[i])));
    }
    return deviation;
  }

  /** The least value near each pixel. */
  private float[] least(float[] pixels) {
    float[] rows = new float[pixels.length];
    for (int y = 0; y < height; y++) {
      least(pixels, rows, y * width, 1, width);
    }
    float[] result = new float[pixels.length];
    for (int x = 0; x < width; x++) {
      least(rows, result, x, width, height);
    }
    return result;
  }

  private static void least(float[] in, float[] out, int start, int step, int count) {
    for (int i = 0; i < count; i++) {
      int last = Math.min(count - 1, i + PLAIN_RADIUS);
      float value = Float.MAX_VALUE;
      for (int j = Math.max(0, i - PLAIN_RADIUS); j <= last; j++) {
        value = Math.min(value, in[start + j * step]);
      }
      out[start + i * step] = value;
    }
  }

  /** The mean of the pixels around each, of those that exist. */
  private float[] blurred(float[] pixels, int radius) {
    float[] rows = new float[pixels.length];
    for (int y = 0; y < height; y++) {
      blur(pixels, rows, y * width, 1, width, radius);
    }
    float[] result = new float[pixels.length];
    for (int x = 0; x < width; x++) {
      blur(rows, result, x, width, height, radius);
    }
    return result;
  }

  private static void blur(
      float[] in, float[] out, int start, int step, int count, int radius) {
    double sum = 0;
    int pixels = 0;
    for (int i = 0; i < Math.min(radius, count); i++) {
      sum += in[start + i * step];
      pixels++;
    }
    for (int i = 0; i < count; i++) {
      if (i + radius < count) {
        sum += in[start + (i + radius) * step];
        pixels++;
      }
      if (i - radius - 1 >= 0) {
        sum -= in[start + (i - radius - 1) * step];
        pixels--;
      }
      out[start + i * step] = (float) (sum / pixels);
    }
  }
}
