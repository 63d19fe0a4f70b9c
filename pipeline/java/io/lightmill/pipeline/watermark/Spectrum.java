package io.lightmill.pipeline.watermark;

/**
 * The two-dimensional Fourier transform of a square whose side is a power of two (Cooley and Tukey,
 * 1965).
 *
 * @param real parts, row by row
 * @param imaginary parts, row by row
 */
@SuppressWarnings("ArrayRecordComponent") // buffers, never compared
record Spectrum(int side, double[] real, double[] imaginary) {

  Spectrum(int side) {
    this(side, new double[side * side], new double[side * side]);
  }

  /** The transform of real values. */
  static Spectrum of(int side, double[] values) {
    Spectrum spectrum = new Spectrum(side, values.clone(), new double[side * side]);
    spectrum.transform(-1);
    return spectrum;
  }

  /** The real part of the inverse transform, divided by the number of values. */
  double[] inverse() {
    Spectrum copy = new Spectrum(side, real.clone(), imaginary.clone());
    copy.transform(1);
    double[] values = copy.real;
    for (int i = 0; i < values.length; i++) {
      values[i] /= values.length;
    }
    return values;
  }

  private void transform(int sign) {
    double[] cosines = new double[side / 2];
    double[] sines = new double[side / 2];
    for (int i = 0; i < side / 2; i++) {
      cosines[i] = Math.cos(2 * Math.PI * i / side);
      sines[i] = sign * Math.sin(2 * Math.PI * i / side);
    }
    for (int row = 0; row < side; row++) {
      transform(row * side, 1, cosines, sines);
    }
    for (int column = 0; column < side; column++) {
      transform(column, side, cosines, sines);
    }
  }

  private void transform(int start, int step, double[] cosines, double[] sines) {
    for (int i = 1, j = 0; i < side; i++) {
      int bit = side >> 1;
      for (; (j & bit) != 0; bit >>= 1) {
        j ^= bit;
      }
      j ^= bit;
      if (i < j) {
        swap(real, start + i * step, start + j * step);
        swap(imaginary, start + i * step, start + j * step);
      }
    }
    for (int length = 2; length <= side; length <<= 1) {
      int stride = side / length;
      for (int block = 0; block < side; block += length) {
        for (int k = 0; k < length / 2; k++) {
          int low = start + (block + k) * step;
          int high = low + length / 2 * step;
          double c = cosines[k * stride];
          double s = sines[k * stride];
          double re = real[high] * c - imaginary[high] * s;
          double im = real[high] * s + imaginary[high] * c;
          real[high] = real[low] - re;
          imaginary[high] = imaginary[low] - im;
          real[low] += re;
          imaginary[low] += im;
        }
      }
    }
  }

  private static void swap(double[] values, int i, int j) {
    double value = values[i];
    values[i] = values[j];
    values[j] = value;
  }
}
