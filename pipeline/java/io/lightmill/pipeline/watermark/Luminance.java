package io.lightmill.pipeline.watermark;

import io.lightmill.pipeline.RgbImage;

/**
 * The brightness of an image, in sixteenths of its 256 levels, so that sums are whole numbers.
 *
 * @param values row by row
 */
@SuppressWarnings("ArrayRecordComponent") // buffers, never compared
record Luminance(int width, int height, short[] values) {

  /** Of one level. */
  static final int UNITS = 16;

  /** Weights of red, green and blue (ITU-R BT.601), of 256. */
  private static final int RED = 77;

  private static final int GREEN = 150;
  private static final int BLUE = 29;

  static Luminance of(RgbImage image) {
    byte[] rgb = image.rgb();
    short[] values = new short[image.width() * image.height()];
    for (int i = 0, at = 0; i < values.length; i++, at += 3) {
      int sum = RED * (rgb[at] & 0xff) + GREEN * (rgb[at + 1] & 0xff) + BLUE * (rgb[at + 2] & 0xff);
      values[i] = (short) (sum / UNITS);
    }
    return new Luminance(image.width(), image.height(), values);
  }

  /** Enlarged or reduced, by the nearest four pixels. */
  Luminance scaled(double scale) {
    int wide = Math.max(1, (int) Math.round(width * scale));
    int high = Math.max(1, (int) Math.round(height * scale));
    int[] left = new int[wide];
    float[] along = new float[wide];
    for (int x = 0; x < wide; x++) {
      double column = Math.max(0, Math.min(width - 1.0, (x + 0.5) * width / wide - 0.5));
      left[x] = Math.min(Math.max(0, width - 2), (int) column);
      along[x] = width == 1 ? 0 : (float) (column - left[x]);
    }
    short[] result = new short[wide * high];
    for (int y = 0; y < high; y++) {
      double row = Math.max(0, Math.min(height - 1.0, (y + 0.5) * height / high - 0.5));
      int top = ((int) row) * width;
      int bottom = Math.min(height - 1, (int) row + 1) * width;
      float down = (float) (row - (int) row);
      for (int x = 0; x < wide; x++) {
        int from = left[x];
        int to = Math.min(width - 1, from + 1);
        float above = values[top + from] + (values[top + to] - values[top + from]) * along[x];
        float below =
            values[bottom + from] + (values[bottom + to] - values[bottom + from]) * along[x];
        result[y * wide + x] = (short) (above + (below - above) * down + 0.5f);
      }
    }
    return new Luminance(wide, high, result);
  }
}
