package io.lightmill.jobs;

import io.lightmill.udfs.option.Redaction;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * The values that a command runs with, by the keys of job files: what is written down is a job file
 * again, secrets aside.
 */
final class AskedOptions {

  private AskedOptions() {}

  /** All options of a parsed command that have a value, in the order of its usage text. */
  static Map<String, Object> of(CommandSpec command) {
    Map<String, Object> asked = new LinkedHashMap<>();
    JobFileArguments.keys(command)
        .forEach((key, option) -> value(option).ifPresent(value -> asked.put(key, value)));
    return asked;
  }

  private static Optional<Object> value(OptionSpec option) {
    Object value = option.getValue();
    if (value instanceof Optional<?> optional) {
      return optional.map(AskedOptions::plain);
    }
    return value instanceof Map<?, ?> map && map.isEmpty()
        ? Optional.empty()
        : Optional.ofNullable(value).map(AskedOptions::plain);
  }

  private static Object plain(Object value) {
    if (value instanceof Map<?, ?> map) {
      Map<String, String> settings = new LinkedHashMap<>();
      map.forEach((key, each) -> settings.put(key.toString(), each.toString()));
      return Redaction.settings(settings);
    }
    if (value instanceof Enum<?> constant) {
      return constant.name().toLowerCase(Locale.ROOT);
    }
    return value instanceof String text ? Redaction.location(text) : value;
  }
}
