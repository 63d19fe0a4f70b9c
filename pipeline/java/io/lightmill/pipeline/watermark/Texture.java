package io.lightmill.pipeline.watermark;

import java.util.Arrays;

/**
 * How an image varies around each pixel.
 *
 * @param difference of each pixel to the mean around it, in levels
 * @param deviation how much each pixel may change, in levels: the standard deviation around it, or
 *     the least of those near it; half of it and {@link #PLAIN} where that is more
 */
@SuppressWarnings("ArrayRecordComponent") // buffers, never compared
record Texture(int width, int height, float[] difference, float[] deviation) {

  /** Of mean and deviation around a pixel, on each side. */
  private static final int RADIUS = 3;

  /**
   * Within this distance of a plain area, a pixel counts as plain: an edge hides nothing beside it.
   */
  private static final int PLAIN_RADIUS = 4;

  /** Of areas of one colour, so that what is embedded there stays below what one sees. */
  private static final float PLAIN = 2.4f;

  /** Larger differences, in deviations, are edges of the image, in which a mark does not show. */
  private static final float EDGE = 1.5f;

  static Texture of(Luminance image) {
    int width = image.width();
    int height = image.height();
    short[] values = image.values();
    float[] difference = new float[values.length];
    float[] variance = new float[values.length];
    int[] sums = new int[width];
    int[] squares = new int[width];
    for (int y = 0; y < Math.min(RADIUS, height); y++) {
      add(values, y * width, sums, squares);
    }
    for (int y = 0; y < height; y++) {
      if (y + RADIUS < height) {
        add(values, (y + RADIUS) * width, sums, squares);
      }
      if (y > RADIUS) {
        remove(values, (y - RADIUS - 1) * width, sums, squares);
      }
      int rows = Math.min(height - 1, y + RADIUS) - Math.max(0, y - RADIUS) + 1;
      around(values, y * width, sums, squares, rows, difference, variance);
    }
    return new Texture(width, height, difference, deviation(variance, width, height));
  }

  private static void add(short[] values, int start, int[] sums, int[] squares) {
    for (int x = 0; x < sums.length; x++) {
      int value = values[start + x];
      sums[x] += value;
      squares[x] += value * value;
    }
  }

  private static void remove(short[] values, int start, int[] sums, int[] squares) {
    for (int x = 0; x < sums.length; x++) {
      int value = values[start + x];
      sums[x] -= value;
      squares[x] -= value * value;
    }
  }

  /** The windows of one row, from the sums of its columns. */
  private static void around(
      short[] values,
      int start,
      int[] sums,
      int[] squares,
      int rows,
      float[] difference,
      float[] variance) {
    int width = sums.length;
    int sum = 0;
    int square = 0;
    for (int x = 0; x < Math.min(RADIUS, width); x++) {
      sum += sums[x];
      square += squares[x];
    }
    float each = 0;
    int pixels = -1;
    for (int x = 0; x < width; x++) {
      int first = x - RADIUS - 1;
      int last = x + RADIUS;
      if (last < width) {
        sum += sums[last];
        square += squares[last];
      }
      if (first >= 0) {
        sum -= sums[first];
        square -= squares[first];
      }
      int count = rows * (Math.min(last, width - 1) - Math.max(first, -1));
      if (count != pixels) {
        pixels = count;
        each = 1f / count;
      }
      float mean = sum * each;
      difference[start + x] = (values[start + x] - mean) / Luminance.UNITS;
      variance[start + x] = square * each - mean * mean;
    }
  }

  private static float[] deviation(float[] variance, int width, int height) {
    float[] least = variance;
    int longest = Math.max(width, height) + 2 * PLAIN_RADIUS;
    float[] line = new float[longest];
    for (int y = 0; y < height; y++) {
      least(least, y * width, 1, width, line);
    }
    for (int i = 0; i < least.length; i++) {
      // Differences of sums leave a little less than nothing in plain areas.
      float deviation = least[i] <= 0 ? 0 : (float) Math.sqrt(least[i]) / Luminance.UNITS;
      float raised = PLAIN + deviation / 2;
      least[i] = deviation > raised ? deviation : raised;
    }
    return least;
  }

  /**
   * Replaces each value of a row or column by the least of those near it: of two neighbours, then
   * of four, eight and nine.
   */
  private static void least(float[] values, int start, int step, int count, float[] line) {
    int end = count + 2 * PLAIN_RADIUS;
    Arrays.fill(line, 0, PLAIN_RADIUS, Float.MAX_VALUE);
    Arrays.fill(line, end - PLAIN_RADIUS, end, Float.MAX_VALUE);
    for (int i = 0, at = start; i < count; i++, at += step) {
      line[PLAIN_RADIUS + i] = values[at];
    }
    for (int apart = 1; apart < 2 * PLAIN_RADIUS; apart <<= 1) {
      end -= apart;
      for (int i = 0; i < end; i++) {
        float other = line[i + apart];
        line[i] = other < line[i] ? other : line[i];
      }
    }
    for (int i = 0, at = start; i < count; i++, at += step) {
      float other = line[i + 1];
      values[at] = other < line[i] ? other : line[i];
    }
  }

  /**
   * The spectrum of the mean of all tiles of the image, where each pixel is its difference in
   * deviations.
   */
  TileSpectrum folded() {
    int side = TileSpectrum.SIDE;
    float[] sums = new float[side * side];
    for (int y = 0, i = 0; y < height; y++) {
      int row = (y & (side - 1)) * side;
      for (int x = 0; x < width; x++, i++) {
        float value = difference[i] / deviation[i];
        if (value <= EDGE && value >= -EDGE) {
          sums[row + (x & (side - 1))] += value;
        }
      }
    }
    for (int y = 0; y < side; y++) {
      for (int x = 0; x < side; x++) {
        sums[y * side + x] /= Math.max(1, repeats(width, x) * repeats(height, y));
      }
    }
    return TileSpectrum.of(sums);
  }

  /** Positions in a side of the image that fall on one of a tile. */
  private static int repeats(int pixels, int position) {
    return (pixels - position + TileSpectrum.SIDE - 1) / TileSpectrum.SIDE;
  }
}
