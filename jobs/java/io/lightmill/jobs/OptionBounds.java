package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.Optional;
import java.util.OptionalInt;

/** Refuses numbers that no checkpoint and no table could take. */
final class OptionBounds {

  private OptionBounds() {}

  static OptionalInt atLeast(int least, String option, Optional<Integer> value) {
    return value.isEmpty()
        ? OptionalInt.empty()
        : OptionalInt.of(atLeast(least, option, value.get()));
  }

  static int atLeast(int least, String option, int value) {
    if (value < least) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "%s is %d, but must be at least %d.".formatted(option, value, least));
    }
    return value;
  }

  static Optional<Double> finiteAtLeast(double least, String option, Optional<Double> value) {
    value
        .filter(number -> !(number >= least) || number.isInfinite())
        .ifPresent(
            number -> {
              throw new LightmillException(
                  ErrorCode.CONFIGURATION_INVALID,
                  "%s is %s, but must be a finite number of at least %s."
                      .formatted(option, number, least));
            });
    return value;
  }
}
