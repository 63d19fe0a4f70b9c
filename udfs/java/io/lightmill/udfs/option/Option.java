package io.lightmill.udfs.option;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.Locale;
import java.util.Optional;
import org.apache.commons.text.similarity.LevenshteinDistance;

/**
 * One option of a run: the same on the command line ({@code --batch-size 4}), in a job file ({@code
 * batch-size: 4}), as an option of a {@code DataFrameWriter} and as an argument in SQL ({@code
 * batch_size => 4}).
 *
 * @param <T> its value
 * @param key such as {@code batch-size}
 * @param fallback the value where none is given
 * @param label of the value in the help text, such as {@code N}
 * @param help one or two sentences
 * @param relative whether a relative path in a job file is relative to that file
 */
public record Option<T>(
    String key,
    OptionType<T> type,
    Optional<T> fallback,
    String label,
    OptionGroup group,
    String help,
    boolean relative) {

  private static final int MOST_MISTAKES = 2;

  /** An option without a default. */
  public static <T> Option<T> of(
      String key, OptionType<T> type, String label, OptionGroup group, String help) {
    return new Option<>(key, type, Optional.empty(), label, group, help, false);
  }

  /** The same option with a default. */
  public Option<T> or(T value) {
    return new Option<>(key, type, Optional.of(value), label, group, help, relative);
  }

  /** The same option without a default. */
  public Option<T> orNone() {
    return new Option<>(key, type, Optional.empty(), label, group, help, relative);
  }

  /** The same option for a path that may be relative to a job file. */
  public Option<T> besideJobFile() {
    return new Option<>(key, type, fallback, label, group, help, true);
  }

  /**
   * Reads a value.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} and the key
   */
  public T read(String text) {
    return type.read(text)
        .orElseThrow(
            () ->
                new LightmillException(
                    ErrorCode.CONFIGURATION_INVALID,
                    "option '%s' is '%s', but must be %s%s"
                        .formatted(key, Redaction.text(text), type.expected(), hint(text))));
  }

  /** The choice that a misspelt one is like. */
  private String hint(String text) {
    LevenshteinDistance distance = new LevenshteinDistance(MOST_MISTAKES);
    return type.choices().stream()
        .filter(choice -> distance.apply(choice, text.strip().toLowerCase(Locale.ROOT)) >= 0)
        .findFirst()
        .map("; did you mean '%s'?"::formatted)
        .orElse("");
  }

  /** The help text with the default; the help text of a flag says what it turns on. */
  public String description() {
    return fallback
        .filter(value -> type.shape() != OptionType.Shape.FLAG)
        .map(value -> "%s Default: %s.".formatted(help, type.plain(value)))
        .orElse(help);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Option<?> option && option.key.equals(key);
  }

  @Override
  public int hashCode() {
    return key.hashCode();
  }

  @Override
  public String toString() {
    return key;
  }
}
