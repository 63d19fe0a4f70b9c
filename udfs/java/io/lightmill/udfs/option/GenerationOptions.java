package io.lightmill.udfs.option;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.StepCaching;
import io.lightmill.udfs.column.RequestColumns;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.lang3.RandomStringUtils;

/**
 * The values of a run's options. Immutable.
 *
 * <p>{@link #parse} is the one way from text to values, for command lines, job files, options of a
 * {@code DataFrameWriter} and SQL arguments.
 */
public final class GenerationOptions {

  private static final DateTimeFormatter RUN_TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

  private static final int DEFAULT_SHARD_SIZE = 1000;

  /** No option is given. */
  public static final GenerationOptions EMPTY = new GenerationOptions(Map.of());

  private final Map<Option<?>, Object> given;

  private GenerationOptions(Map<Option<?>, Object> given) {
    this.given = given;
  }

  /**
   * Reads options of a run.
   *
   * @param values by key. A key may be written with {@code _} for {@code -} and in any case. An
   *     option that is a map takes entries ({@code column.prompt} → {@code caption}) and a list
   *     ({@code column} → {@code prompt=caption,id=sku})
   * @throws LightmillException with {@code CONFIGURATION_INVALID} and the key, for unknown keys,
   *     values that cannot be read or are out of range, and options of the Spark session
   */
  public static GenerationOptions parse(Map<String, String> values) {
    values
        .keySet()
        .forEach(
            key -> {
              if (option(key).group() == OptionGroup.COMMAND) {
                throw invalid(
                    "option '%s' is one of the command line only; leave it out".formatted(key));
              }
              if (option(key).group() == OptionGroup.SPARK) {
                throw invalid(
                    "option '%s' sets up a Spark session, and this run has one; leave it out"
                        .formatted(key));
              }
            });
    return parseWithSession(values);
  }

  /** As {@link #parse}, with the options of the Spark session. */
  public static GenerationOptions parseWithSession(Map<String, String> values) {
    Map<Option<?>, Object> given = new LinkedHashMap<>();
    values.forEach((key, text) -> read(key, text, given));
    Map<Option<?>, Object> ordered = new LinkedHashMap<>();
    OptionRegistry.all().stream()
        .filter(given::containsKey)
        .forEach(option -> ordered.put(option, given.get(option)));
    GenerationOptions options = new GenerationOptions(ordered);
    options.requireShardsOfThatSize();
    EfficiencyOptions.sampling(
        options,
        SamplingEfficiency.NONE.with(StepCaching.of(StepCaching.Method.SEA))); // as in most tiers
    return options;
  }

  /**
   * Checks one value without the others.
   *
   * @throws LightmillException as {@link #parse}
   */
  public static void check(String key, String text) {
    read(key, text, new LinkedHashMap<>());
  }

  private static void read(String key, String text, Map<Option<?>, Object> given) {
    Option<?> option = option(key);
    if (option.type().shape() != OptionType.Shape.MAP) {
      if (given.put(option, option.read(text)) != null) {
        throw invalid("option '%s' is given twice; remove one".formatted(option));
      }
      return;
    }
    Map<String, String> entries = new LinkedHashMap<>();
    if (given.get(option) instanceof Map<?, ?> before) {
      before.forEach((name, value) -> entries.put((String) name, (String) value));
    }
    Optional<String> entry = entryName(key);
    if (option.read(entry.map(name -> name + "=").orElse(text)) instanceof Map<?, ?> more) {
      more.forEach((name, value) -> entries.put((String) name, (String) value));
    }
    entry.ifPresent(name -> entries.put(name, text));
    given.put(option, Map.copyOf(entries));
  }

  private static Option<?> option(String key) {
    Optional<Option<?>> option = OptionRegistry.named(key);
    if (option.isEmpty()) {
      String head = key.substring(0, Math.max(0, key.indexOf('.')));
      option = OptionRegistry.named(head).filter(o -> o.type().shape() == OptionType.Shape.MAP);
    }
    return option.orElseThrow(
        () ->
            invalid(
                "there is no option '%s'; did you mean '%s'?"
                    .formatted(key, OptionRegistry.closest(key))));
  }

  /** {@code prompt} of {@code column.prompt}. */
  private static Optional<String> entryName(String key) {
    return Optional.of(key.indexOf('.')).filter(dot -> dot >= 0).map(dot -> key.substring(dot + 1));
  }

  private void requireShardsOfThatSize() {
    Optional<Integer> size = find(Options.SHARD_SIZE);
    if (size.isPresent() && get(Options.SINK) == Sink.FILES) {
      throw invalid(
          "option 'shard-size' is %d, but the sink 'files' has no shards; remove it, or set 'sink' to webdataset or parquet"
              .formatted(size.get()));
    }
  }

  /**
   * Checks that the options of checks have what they need.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID}
   */
  public void requireChecks() {
    require(CheckOptions.PROMPT_THRESHOLD, CheckOptions.PROMPT_CLASSIFIER);
    for (Option<?> option :
        List.of(
            CheckOptions.IMAGE_THRESHOLD,
            CheckOptions.IMAGE_ACTION,
            CheckOptions.IMAGE_RETRIES,
            CheckOptions.QUARANTINE)) {
      require(option, CheckOptions.IMAGE_CLASSIFIER);
    }
    if (get(CheckOptions.BEST_OF) > 1) {
      require(CheckOptions.BEST_OF, CheckOptions.SCORER);
    }
  }

  private void require(Option<?> option, Option<?> needed) {
    if (has(option) && !has(needed)) {
      throw invalid(
          "option '%s' needs '%s'; give it too, or remove '%1$s'".formatted(option, needed));
    }
  }

  /** The value that was given, else the default. */
  @SuppressWarnings("unchecked") // values are put in with their options
  public <T> Optional<T> find(Option<T> option) {
    return Optional.ofNullable((T) given.get(option)).or(option::fallback);
  }

  /**
   * The value that was given, else the default.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if there is neither
   */
  public <T> T get(Option<T> option) {
    return find(option)
        .orElseThrow(
            () ->
                invalid(
                    "option '%s' is missing; give a %s (--%s, or '%s' in a job file)"
                        .formatted(
                            option, option.label().toLowerCase(Locale.ROOT), option, option)));
  }

  /** The entries of an option that is a map; none if it is not given. */
  public Map<String, String> entries(Option<Map<String, String>> option) {
    return find(option).orElse(Map.of());
  }

  /** Whether the option has a value that is not its default by omission. */
  public boolean has(Option<?> option) {
    return given.containsKey(option);
  }

  /** These options with one more, or with another value of one. */
  public <T> GenerationOptions with(Option<T> option, T value) {
    Map<Option<?>, Object> changed = new LinkedHashMap<>(given);
    changed.put(option, value);
    return new GenerationOptions(changed);
  }

  /** These options with the default of one. */
  public GenerationOptions without(Option<?> option) {
    Map<Option<?>, Object> changed = new LinkedHashMap<>(given);
    changed.remove(option);
    return new GenerationOptions(changed);
  }

  /** These options with a run id: the given one, or the time and four random characters. */
  public GenerationOptions named(Instant now) {
    return has(Options.RUN_ID)
        ? this
        : with(
            Options.RUN_ID,
            RUN_TIME.format(now)
                + "-"
                + RandomStringUtils.secure().next(4, "0123456789abcdefghijklmnopqrstuvwxyz"));
  }

  /** Images in a shard. */
  public int shardSize() {
    return find(Options.SHARD_SIZE).orElse(DEFAULT_SHARD_SIZE);
  }

  /** What rows have where their columns have no value, by the names of the columns. */
  public Map<String, String> columnDefaults() {
    Map<String, String> defaults = new LinkedHashMap<>();
    ColumnOptions.all()
        .forEach((column, option) -> find(option).ifPresent(value -> defaults.put(column, value)));
    return defaults;
  }

  /**
   * As {@link #columnDefaults()}, with the sampling that the tier and the options give for a
   * checkpoint.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if an option has no effect on the
   *     step cache of the tier
   */
  public Map<String, String> columnDefaults(PipelineLimits checkpoint) {
    Map<String, String> defaults = new LinkedHashMap<>(columnDefaults());
    defaults.put(
        RequestColumns.SAMPLING_EFFICIENCY.name(),
        EfficiencyOptions.sampling(this, checkpoint.efficient()).toString());
    return defaults;
  }

  /**
   * The options with their values and defaults, as a job file has them: numbers, booleans, strings
   * and maps of strings. Secrets are replaced. The run id is left out, since a run id is used once,
   * and so are options of the command line itself, which may contain secrets.
   */
  public Map<String, Object> jobFile() {
    Map<String, Object> file = new LinkedHashMap<>();
    OptionRegistry.all().stream()
        .filter(option -> !option.equals(Options.RUN_ID))
        .filter(option -> option.group() != OptionGroup.COMMAND)
        .forEach(option -> plain(option).ifPresent(value -> file.put(option.key(), value)));
    return file;
  }

  private <T> Optional<Object> plain(Option<T> option) {
    return find(option).map(value -> Redaction.plain(option.type().plain(value)));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof GenerationOptions options && options.given.equals(given);
  }

  @Override
  public int hashCode() {
    return given.hashCode();
  }

  @Override
  public String toString() {
    return jobFile().toString();
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message);
  }
}
