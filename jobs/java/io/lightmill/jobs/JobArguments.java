package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.OptionRegistry;
import io.lightmill.udfs.option.OptionType;
import io.lightmill.udfs.option.Options;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;

/**
 * The options of a run on a command line: those of a job file, over them those of {@code --set},
 * and over both the options themselves.
 */
final class JobArguments {

  private static final RegisteredOptions OPTIONS =
      new RegisteredOptions(OptionRegistry.all(), Set.of());

  @Option(
      names = "--config",
      paramLabel = "FILE.yaml",
      description =
          "Job file in YAML with the options below as keys. The command line takes precedence.")
  private Path config;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description =
          "Value of an option, or of a variable of the job file, in place of that of the job file."
              + " Repeatable.")
  private List<String> sets = List.of();

  @Option(
      names = "--date",
      paramLabel = "DATE",
      description =
          "Date of the placeholders of option values, such as {date:yyyy-MM-dd} and"
              + " {date-1d:yyyyMMdd}: 2026-11-26, or 2026-11-26T05:00Z. Default: now, in UTC.")
  private String date;

  /** Adds the registered options to a command that has this as a mixin. */
  static void addTo(CommandLine command) {
    OPTIONS.addTo(command.getCommandSpec());
    OPTIONS.groupIn(command);
  }

  /** The options, checked as far as that needs no Spark. */
  GenerationOptions options(ParseResult line) {
    Optional<JobFile> file = Optional.ofNullable(config).map(JobFile::read);
    Map<String, String> declared = file.map(JobFile::variables).orElse(Map.of());
    Map<String, String> keys = new LinkedHashMap<>();
    Map<String, String> variables = new LinkedHashMap<>(declared);
    List<String> undeclared = new ArrayList<>();
    for (String set : sets) {
      int equals = set.indexOf('=');
      if (equals < 1) {
        throw invalid("--set is '%s', but must be KEY=VALUE".formatted(set));
      }
      String key = set.substring(0, equals).strip();
      String value = set.substring(equals + 1);
      if (!declared.containsKey(key) && isOption(key)) {
        keys.put(key, value);
      } else {
        variables.put(key, value);
        if (!declared.containsKey(key)) {
          undeclared.add(key);
        }
      }
    }
    Placeholders placeholders = new Placeholders(date(), variables);
    Values values = new Values();
    file.ifPresent(it -> values.over(it.values(placeholders)));
    values.over(replaced(keys, placeholders));
    values.over(replaced(OPTIONS.values(line), placeholders));
    undeclared.removeAll(placeholders.used());
    if (!undeclared.isEmpty()) {
      throw unknown(undeclared.get(0), declared.keySet());
    }
    GenerationOptions parsed = GenerationOptions.parseWithSession(values.byKey);
    parsed.get(Options.INPUT);
    parsed.get(Options.OUTPUT_DIRECTORY);
    return parsed;
  }

  /** Values by the keys of the registry, so that a later spelling replaces an earlier one. */
  private static final class Values {

    private final Map<String, String> byKey = new LinkedHashMap<>();

    void over(Map<String, String> more) {
      more.forEach((key, value) -> byKey.put(canonical(key), value));
    }

    private static String canonical(String key) {
      return OptionRegistry.named(key).map(option -> option.key()).orElse(key);
    }
  }

  private ZonedDateTime date() {
    return date == null ? Placeholders.date(Instant.now()) : Placeholders.date(date);
  }

  private static Map<String, String> replaced(
      Map<String, String> values, Placeholders placeholders) {
    Map<String, String> replaced = new LinkedHashMap<>();
    values.forEach(
        (key, value) ->
            replaced.put(
                key, named(key).map(option -> placeholders.replaced(option, value)).orElse(value)));
    return replaced;
  }

  private static boolean isOption(String key) {
    return named(key).isPresent();
  }

  /** The option of a key, or of {@code name.entry} if it is a map. */
  private static Optional<io.lightmill.udfs.option.Option<?>> named(String key) {
    return OptionRegistry.named(key)
        .or(
            () ->
                OptionRegistry.named(key.substring(0, Math.max(0, key.indexOf('.'))))
                    .filter(option -> option.type().shape() == OptionType.Shape.MAP));
  }

  private static LightmillException unknown(String key, Set<String> declared) {
    Set<String> known = new TreeSet<>(declared);
    OptionRegistry.all().forEach(option -> known.add(option.key()));
    return invalid(
        "--set names '%s', which is neither an option nor a variable that a value uses; did you mean '%s'?"
            .formatted(key, OptionRegistry.closest(key, known)));
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message);
  }
}
