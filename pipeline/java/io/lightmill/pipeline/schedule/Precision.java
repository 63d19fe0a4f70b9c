package io.lightmill.pipeline.schedule;

/**
 * The type that the reference computes noise levels in: {@code float32} for noise levels that it
 * receives, {@code float64} for its own.
 */
enum Precision {
  SINGLE,
  DOUBLE;

  /**
   * The result of one addition, subtraction, multiplication or division of values of this type,
   * from the result in double precision; that has more than twice the digits of single precision,
   * so that rounding twice is exact.
   */
  double round(double value) {
    return this == SINGLE ? (float) value : value;
  }
}
