package io.lightmill.pipeline.schedule;

/**
 * Evenly spaced numbers, equal to the last bit to those of {@code numpy.linspace} or {@code
 * torch.linspace}.
 */
final class Linspace {

  private Linspace() {}

  /**
   * As numpy computes them: {@code count} numbers from {@code start} to {@code stop}, both
   * included; a single number is the start.
   */
  static double[] of(double start, double stop, int count) {
    double[] values = new double[count];
    double step = (stop - start) / (count - 1);
    values[0] = start;
    for (int i = 1; i < count; i++) {
      values[i] = i * step + start;
    }
    if (count > 1) {
      values[count - 1] = stop;
    }
    return values;
  }

  /**
   * As torch computes them in {@code float32} on a CPU that fuses products with sums: each half is
   * counted from its own end.
   */
  static double[] single(double start, double stop, int count) {
    float first = (float) start;
    float last = (float) stop;
    float step = (last - first) / (count - 1);
    double[] values = new double[count];
    values[0] = first;
    for (int i = 1; i < count; i++) {
      values[i] =
          i < count / 2 ? Math.fma(step, (float) i, first) : Math.fma(-step, count - 1f - i, last);
    }
    return values;
  }
}
