package io.lightmill.pipeline;

import java.io.Serializable;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Which steps reuse what the transformer's blocks computed at an earlier step. The first and the
 * last step are always computed.
 *
 * @param method that decides
 * @param threshold of {@code SEA} and {@code FIRST_BLOCK}, from 0; 0 for the others
 * @param mask of {@code MASK}: one digit per step, 1 to compute it and 0 to reuse; stretched over
 *     the steps of a request that has another number of them. Empty for the others.
 */
public record StepCaching(Method method, double threshold, String mask) implements Serializable {

  /** Every step is computed. */
  public static final StepCaching NONE = new StepCaching(Method.NONE, 0, "");

  /** The mask of cache-dit for FLUX.1-dev at 28 steps; it computes 12 of them. */
  public static final String DEFAULT_MASK = "1111110100010000100000100000";

  private static final Pattern MASK = Pattern.compile("[01]{1,1000}");

  /** How it is decided whether a step is computed. */
  public enum Method {
    /** Every step is. */
    NONE(0),
    /**
     * First-Block Cache: steps are reused while the change that the first block makes differs from
     * that at the last computed step by at most the threshold.
     */
    FIRST_BLOCK(0.08),
    /**
     * SeaCache (arXiv 2602.18993): steps are reused until the changes of the first block's input
     * since the last computed step, filtered by the gain of each frequency at the noise level, add
     * up to the threshold.
     */
    SEA(0.3),
    /** A fixed mask of steps. */
    MASK(0);

    private final double defaultThreshold;

    Method(double defaultThreshold) {
      this.defaultThreshold = defaultThreshold;
    }

    /** As options and tables spell it. */
    public String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The published threshold; 0 for methods without one. */
    public double defaultThreshold() {
      return defaultThreshold;
    }

    /** Whether the method has a threshold. */
    public boolean hasThreshold() {
      return defaultThreshold > 0;
    }

    static Optional<Method> labelled(String label) {
      return Arrays.stream(values()).filter(method -> method.label().equals(label)).findFirst();
    }
  }

  /**
   * Checks the values.
   *
   * @throws LightmillException with {@code VALUE_INVALID}
   */
  public StepCaching {
    if (!(threshold >= 0 && Double.isFinite(threshold))) {
      throw new LightmillException(
          ErrorCode.VALUE_INVALID,
          "the threshold of the step cache is %s; set it to 0 or a positive number"
              .formatted(threshold));
    }
    if (method == Method.MASK && !isMask(mask)) {
      throw new LightmillException(
          ErrorCode.VALUE_INVALID,
          "the step mask is '%s'; write one digit for each step, 1 to compute it and 0 to reuse the last computed one"
              .formatted(mask));
    }
  }

  /** The method with its default threshold or mask. */
  public static StepCaching of(Method method) {
    return new StepCaching(
        method, method.defaultThreshold(), method == Method.MASK ? DEFAULT_MASK : "");
  }

  /** Whether a text is a mask of steps. */
  public static boolean isMask(String text) {
    return MASK.matcher(text).matches();
  }

  /** This method with another threshold. */
  public StepCaching withThreshold(double value) {
    return new StepCaching(method, value, mask);
  }

  public boolean isNone() {
    return method == Method.NONE;
  }

  /** Whether the mask computes a step; the first and the last always. */
  public boolean masksIn(int step, int steps) {
    return step == 0
        || step == steps - 1
        || mask.charAt((int) ((long) step * mask.length() / steps)) == '1';
  }

  /** Such as {@code sea@0.3}. */
  @Override
  public String toString() {
    String value = method == Method.MASK ? mask : plain(threshold);
    return isNone() ? method.label() : method.label() + "@" + value;
  }

  /** The shortest decimal without an exponent. */
  static String plain(double value) {
    BigDecimal shortest = BigDecimal.valueOf(value).stripTrailingZeros();
    return (shortest.scale() < 0 ? shortest.setScale(0) : shortest).toPlainString();
  }
}
