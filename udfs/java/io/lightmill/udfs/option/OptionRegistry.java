package io.lightmill.udfs.option;

import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.text.similarity.LevenshteinDistance;

/**
 * The registry of all options. A new option is an entry in the list of its subject, such as {@link
 * ModelOptions}, and the place that uses its value; parsing, help text, job files, the run record
 * and the public API follow from the entry.
 */
public final class OptionRegistry {

  private static final Map<String, Option<?>> BY_KEY = byKey();

  private OptionRegistry() {}

  /** All options in the order of the help text. */
  public static List<Option<?>> all() {
    return List.copyOf(BY_KEY.values());
  }

  /** The option of a key, which may be written with {@code _} and in any case. */
  public static Optional<Option<?>> named(String key) {
    return Optional.ofNullable(BY_KEY.get(normalized(key)));
  }

  /** The key that a misspelt one is most like. */
  public static String closest(String key) {
    return closest(key, BY_KEY.keySet());
  }

  /** The one of these keys, at least one, that a misspelt one is most like. */
  public static String closest(String key, Set<String> keys) {
    LevenshteinDistance distance = LevenshteinDistance.getDefaultInstance();
    String wanted = normalized(key);
    return Collections.min(keys, Comparator.comparingInt(each -> distance.apply(wanted, each)));
  }

  static String normalized(String key) {
    return key.strip().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static Map<String, Option<?>> byKey() {
    Map<String, Option<?>> options = new LinkedHashMap<>();
    Stream.of(
            Options.OF_PROMPTS,
            LakehouseOptions.OF_PROMPTS,
            Options.OF_OUTPUT,
            LakehouseOptions.OF_OUTPUT,
            Options.OF_RUN,
            ModelOptions.ALL,
            List.copyOf(ColumnOptions.all().values()),
            Options.OF_ROWS,
            EfficiencyOptions.ALL,
            CheckOptions.ALL,
            ProvenanceOptions.ALL,
            PlanOptions.ALL,
            ScheduleOptions.ALL,
            HostedOptions.ALL,
            SparkOptions.ALL)
        .flatMap(List::stream)
        .forEach(option -> options.put(option.key(), option));
    return Collections.unmodifiableMap(options);
  }
}
