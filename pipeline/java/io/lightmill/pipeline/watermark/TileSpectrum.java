package io.lightmill.pipeline.watermark;

import java.util.Arrays;

/**
 * The low frequencies of a tile of real numbers: its two-dimensional Fourier transform (Cooley and
 * Tukey, 1965) for the first {@value #COLUMNS} frequencies along x and all along y. The others are
 * their conjugates, or zero.
 *
 * @param real parts; the one of frequency u along y and v along x is at {@link #index}
 * @param imaginary parts
 */
@SuppressWarnings("ArrayRecordComponent") // buffers, never compared
record TileSpectrum(float[] real, float[] imaginary) {

  /** Pixels of a tile's side. */
  static final int SIDE = 64;

  /** Frequencies along x, from 0. */
  static final int COLUMNS = WatermarkPattern.HIGHEST + 1;

  private static final int[] REVERSED = new int[SIDE];
  private static final float[] COSINES = new float[SIDE / 2];
  private static final float[] SINES = new float[SIDE / 2];

  static {
    for (int i = 0; i < SIDE; i++) {
      REVERSED[i] = Integer.reverse(i) >>> (Integer.numberOfLeadingZeros(SIDE) + 1);
    }
    for (int i = 0; i < SIDE / 2; i++) {
      COSINES[i] = (float) Math.cos(2 * Math.PI * i / SIDE);
      SINES[i] = (float) Math.sin(2 * Math.PI * i / SIDE);
    }
  }

  /** No frequency. */
  TileSpectrum() {
    this(new float[COLUMNS * SIDE], new float[COLUMNS * SIDE]);
  }

  /**
   * @param u cycles per tile along y, from {@code -SIDE / 2}
   * @param v cycles per tile along x, from 0
   */
  static int index(int u, int v) {
    return v * SIDE + (u & (SIDE - 1));
  }

  /** Sets a frequency; of those that are not along x, also the conjugate. */
  void set(int u, int v, float re, float im) {
    int index = index(u, v);
    real[index] = re;
    imaginary[index] = im;
    if (v == 0) {
      real[index(-u, 0)] = re;
      imaginary[index(-u, 0)] = -im;
    }
  }

  /** The spectrum of a tile, given row by row. Two rows are one complex signal. */
  static TileSpectrum of(float[] tile) {
    TileSpectrum spectrum = new TileSpectrum();
    float[] re = new float[SIDE];
    float[] im = new float[SIDE];
    for (int y = 0; y < SIDE; y += 2) {
      System.arraycopy(tile, y * SIDE, re, 0, SIDE);
      System.arraycopy(tile, (y + 1) * SIDE, im, 0, SIDE);
      transform(re, im, 1);
      for (int v = 0; v < COLUMNS; v++) {
        int w = (SIDE - v) & (SIDE - 1);
        int at = v * SIDE + y;
        spectrum.real[at] = (re[v] + re[w]) / 2;
        spectrum.imaginary[at] = (im[v] - im[w]) / 2;
        spectrum.real[at + 1] = (im[v] + im[w]) / 2;
        spectrum.imaginary[at + 1] = (re[w] - re[v]) / 2;
      }
    }
    for (int v = 0; v < COLUMNS; v++) {
      System.arraycopy(spectrum.real, v * SIDE, re, 0, SIDE);
      System.arraycopy(spectrum.imaginary, v * SIDE, im, 0, SIDE);
      transform(re, im, 1);
      System.arraycopy(re, 0, spectrum.real, v * SIDE, SIDE);
      System.arraycopy(im, 0, spectrum.imaginary, v * SIDE, SIDE);
    }
    return spectrum;
  }

  /** The tile with this spectrum, times its number of pixels. */
  float[] tile() {
    float[] columnsRe = new float[COLUMNS * SIDE];
    float[] columnsIm = new float[COLUMNS * SIDE];
    float[] re = new float[SIDE];
    float[] im = new float[SIDE];
    for (int v = 0; v < COLUMNS; v++) {
      System.arraycopy(real, v * SIDE, re, 0, SIDE);
      System.arraycopy(imaginary, v * SIDE, im, 0, SIDE);
      transform(re, im, -1);
      System.arraycopy(re, 0, columnsRe, v * SIDE, SIDE);
      System.arraycopy(im, 0, columnsIm, v * SIDE, SIDE);
    }
    float[] tile = new float[SIDE * SIDE];
    for (int y = 0; y < SIDE; y += 2) {
      Arrays.fill(re, 0);
      Arrays.fill(im, 0);
      for (int v = 0; v < COLUMNS; v++) {
        int one = v * SIDE + y;
        int w = (SIDE - v) & (SIDE - 1);
        re[w] = columnsRe[one] + columnsIm[one + 1];
        im[w] = columnsRe[one + 1] - columnsIm[one];
        re[v] = columnsRe[one] - columnsIm[one + 1];
        im[v] = columnsIm[one] + columnsRe[one + 1];
      }
      transform(re, im, -1);
      System.arraycopy(re, 0, tile, y * SIDE, SIDE);
      System.arraycopy(im, 0, tile, (y + 1) * SIDE, SIDE);
    }
    return tile;
  }

  /**
   * Transforms a signal in place.
   *
   * @param direction 1, or -1 for the inverse, which is not divided by the length
   */
  private static void transform(float[] re, float[] im, int direction) {
    for (int i = 0; i < SIDE; i++) {
      int j = REVERSED[i];
      if (i < j) {
        float swapped = re[i];
        re[i] = re[j];
        re[j] = swapped;
        swapped = im[i];
        im[i] = im[j];
        im[j] = swapped;
      }
    }
    for (int half = 1, stride = SIDE / 2; half < SIDE; half <<= 1, stride >>= 1) {
      for (int k = 0; k < half; k++) {
        float c = COSINES[k * stride];
        float s = -direction * SINES[k * stride];
        for (int low = k; low < SIDE; low += 2 * half) {
          int high = low + half;
          float r = re[high] * c - im[high] * s;
          float i = re[high] * s + im[high] * c;
          re[high] = re[low] - r;
          im[high] = im[low] - i;
          re[low] += r;
          im[low] += i;
        }
      }
    }
  }
}
