package io.lightmill.udfs.table;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.udfs.column.ColumnValues;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.column.RequestLimits;
import io.lightmill.udfs.column.RowError;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

/**
 * How the rows of a job are read and validated.
 *
 * @param defaults values of rows that have none: the job's, else the checkpoint's
 * @param seed of the job, from which rows without a seed derive theirs
 * @param truncatePrompts whether prompts that are too long are cut instead of making their rows
 *     invalid
 */
public record RequestRules(
    RequestLimits limits, ColumnValues defaults, long seed, boolean truncatePrompts)
    implements Serializable {

  /**
   * @param adapters that rows may name
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if a default of the job is
   *     invalid, since then every row that relies on it would be
   */
  public static RequestRules of(
      PipelineLimits checkpoint, Collection<String> adapters, RowDefaults job) {
    job.values().keySet().forEach(RequestRules::requireDefault);
    RequestLimits limits = new RequestLimits(checkpoint, List.copyOf(adapters), job.refused());
    List<RowError> errors = new ArrayList<>();
    ColumnValues defaults =
        ColumnValues.read(
            new ColumnValues.Reading() {
              @Override
              public <T> T value(RequestColumn<T> column) {
                String text = job.values().get(column.name());
                return text == null
                    ? column.checked(column.fallback(checkpoint), limits, errors)
                    : column.parse(text, limits, errors);
              }
            });
    RequestRules rules = new RequestRules(limits, defaults, job.seed(), job.truncatePrompts());
    rules.checkSize(defaults, errors);
    if (!errors.isEmpty()) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID, "defaults of the job: " + RowError.listed(errors));
    }
    return rules;
  }

  private static void requireDefault(String name) {
    if (!RequestColumns.named(name).map(RequestColumn::isDefaultedByJob).orElse(false)) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "defaults of the job: '%s' is not a column that can have a default; choose one of %s"
              .formatted(
                  name,
                  RequestColumns.ALL.stream()
                      .filter(RequestColumn::isDefaultedByJob)
                      .map(RequestColumn::name)
                      .collect(Collectors.joining(", "))));
    }
  }

  /** How requests ask for classifier-free guidance. */
  public ClassifierFreeGuidance guidance() {
    return limits.checkpoint().guidance();
  }

  /** Largest {@code max_sequence_length}, in tokens. */
  int maxPromptLength() {
    return limits.checkpoint().maxSequenceLength();
  }

  /** Checks width and height together, if each of them is valid. */
  void checkSize(ColumnValues values, List<RowError> errors) {
    Integer width = values.of(RequestColumns.WIDTH);
    Integer height = values.of(RequestColumns.HEIGHT);
    if (!RequestColumns.WIDTH.accepts(width, limits)
        || !RequestColumns.HEIGHT.accepts(height, limits)) {
      return;
    }
    long pixels = (long) width * height;
    long max = limits.checkpoint().maxPixels();
    if (pixels > max) {
      errors.add(
          new RowError(
              ErrorCode.SIZE_INVALID,
              "%dx%d is %d pixels, more than the %d that this checkpoint draws; make one side smaller"
                  .formatted(width, height, pixels, max)));
    }
    limits
        .checkpoint()
        .sizes()
        .error(width, height)
        .ifPresent(message -> errors.add(new RowError(ErrorCode.SIZE_INVALID, message)));
  }
}
