package io.lightmill.pipeline.schedule;

/** Evenly spaced numbers, to the last bit those of {@code numpy.linspace}. */
final class Linspace {

  private Linspace() {}

  /** {@code count} numbers from {@code start} to {@code stop}, both included; one is the start. */
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
}
