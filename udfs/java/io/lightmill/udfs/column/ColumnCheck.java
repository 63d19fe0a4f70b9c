package io.lightmill.udfs.column;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.PipelineLimits;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToIntFunction;

/** Validates a value of one column against the limits of a job. */
@FunctionalInterface
interface ColumnCheck<T> {

  /** The error of a value; empty if the column accepts it. */
  Optional<RowError> error(String column, T value, RequestLimits limits);

  /** Accepts every value. */
  static <T> ColumnCheck<T> none() {
    return (column, value, limits) -> Optional.empty();
  }

  /** Readers of tables put U+FFFD in the place of bytes that are not UTF-8. */
  static Optional<RowError> decoded(String column, String text, RequestLimits limits) {
    return text.indexOf('\uFFFD') < 0
        ? Optional.empty()
        : invalid(
            ErrorCode.VALUE_INVALID,
            "%s '%s' has letters that could not be read; save the table in UTF-8"
                .formatted(column, ColumnType.abbreviated(text)));
  }

  /** Width or height, in pixels. */
  static Optional<RowError> side(String column, int pixels, RequestLimits limits) {
    PipelineLimits checkpoint = limits.checkpoint();
    if (pixels > checkpoint.maxSide()) {
      return invalid(
          ErrorCode.SIZE_INVALID,
          "%s %d is more than the %d that a side may have with this checkpoint; make it smaller"
              .formatted(column, pixels, checkpoint.maxSide()));
    }
    int multiple = checkpoint.sizeMultiple();
    if (pixels > 0 && pixels % multiple == 0) {
      return Optional.empty();
    }
    return invalid(
        ErrorCode.SIZE_INVALID,
        "%s %d is not a positive multiple of %d; the nearest is %d"
            .formatted(
                column,
                pixels,
                multiple,
                Math.max(1, Math.round((double) pixels / multiple)) * multiple));
  }

  /** A whole number between two bounds, both included. */
  static ColumnCheck<Integer> range(
      ToIntFunction<PipelineLimits> least, ToIntFunction<PipelineLimits> most) {
    return (column, value, limits) -> {
      int min = least.applyAsInt(limits.checkpoint());
      int max = most.applyAsInt(limits.checkpoint());
      return value >= min && value <= max
          ? Optional.empty()
          : invalid(
              ErrorCode.VALUE_INVALID,
              "%s %d is out of range; give %d to %d".formatted(column, value, min, max));
    };
  }

  /** A weight of guidance. */
  static Optional<RowError> scale(String column, double value, RequestLimits limits) {
    return Double.isFinite(value) && value >= 0
        ? Optional.empty()
        : invalid(
            ErrorCode.VALUE_INVALID,
            "%s %s is out of range; give 0 or a positive number".formatted(column, value));
  }

  /** Only adapters of the job. */
  static Optional<RowError> adapters(String column, LoraBlend blend, RequestLimits limits) {
    Set<String> unknown = new TreeSet<>(blend.weights().keySet());
    List<String> known = limits.adapters();
    unknown.removeIf(limits::hasAdapter);
    return unknown.isEmpty()
        ? Optional.empty()
        : invalid(
            ErrorCode.VALUE_INVALID,
            "%s names %s, but the job's adapters are %s; declare it (--lora %s=FILE) or name another"
                .formatted(
                    column,
                    String.join(", ", unknown),
                    known.isEmpty() ? "none" : String.join(", ", known),
                    unknown.iterator().next()));
  }

  private static Optional<RowError> invalid(ErrorCode code, String message) {
    return Optional.of(new RowError(code, message));
  }
}
