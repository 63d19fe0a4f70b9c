package io.lightmill.pipeline.schedule;

import org.apache.commons.math3.distribution.BetaDistribution;

/**
 * The spacing of noise levels between the first and the last. All but {@link #AS_SHIFTED} replace
 * the levels in between.
 */
enum SigmaSpacing {
  AS_SHIFTED,
  /** <a href="https://arxiv.org/abs/2206.00364">Karras et al. (2022)</a>, equation 5. */
  KARRAS,
  EXPONENTIAL,
  /** <a href="https://arxiv.org/abs/2407.12173">Beta Sampling is All You Need</a>. */
  BETA;

  private static final double KARRAS_RHO = 7;

  /** The quantiles must hold more digits than a float, also near 0. */
  private static final double QUANTILE_ACCURACY = 1e-15;

  private static final BetaDistribution BETA_DISTRIBUTION =
      new BetaDistribution(/* rng= */ null, 0.6, 0.6, QUANTILE_ACCURACY);

  double[] between(double first, double last, int count) {
    return switch (this) {
      case AS_SHIFTED -> throw new IllegalStateException("nothing to respace");
      case KARRAS -> karras(first, last, count);
      case EXPONENTIAL -> exponential(first, last, count);
      case BETA -> beta(first, last, count);
    };
  }

  private static double[] karras(double first, double last, int count) {
    double from = Math.pow(first, 1 / KARRAS_RHO);
    double to = Math.pow(last, 1 / KARRAS_RHO);
    double[] sigmas = Linspace.of(0, 1, count);
    for (int i = 0; i < count; i++) {
      sigmas[i] = Math.pow(from + sigmas[i] * (to - from), KARRAS_RHO);
    }
    return sigmas;
  }

  private static double[] exponential(double first, double last, int count) {
    double[] sigmas = Linspace.of(Math.log(first), Math.log(last), count);
    for (int i = 0; i < count; i++) {
      sigmas[i] = Math.exp(sigmas[i]);
    }
    return sigmas;
  }

  private static double[] beta(double first, double last, int count) {
    double[] sigmas = Linspace.of(0, 1, count);
    for (int i = 0; i < count; i++) {
      double quantile = BETA_DISTRIBUTION.inverseCumulativeProbability(1 - sigmas[i]);
      sigmas[i] = last + quantile * (first - last);
    }
    return sigmas;
  }
}
