package io.lightmill.jobs;

import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.option.OptionType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParseResult;

/**
 * Registered options as options of a command line. Their values stay text until they are read.
 *
 * @param required those without which picocli refuses the command line
 */
record RegisteredOptions(List<? extends Option<?>> options, Set<Option<?>> required) {

  /** Adds the options to a command. */
  void addTo(CommandSpec command) {
    options.forEach(option -> command.addOption(spec(option)));
  }

  /** Lists the options in the help text below the titles of their groups. */
  void groupIn(CommandLine command) {
    command.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, this::listed);
  }

  private static String name(Option<?> option) {
    return "--" + option.key();
  }

  private OptionSpec spec(Option<?> option) {
    OptionSpec.Builder spec =
        OptionSpec.builder(name(option))
            .description(option.description().replace("%", "%%"))
            .required(required.contains(option));
    return switch (option.type().shape()) {
      case VALUE ->
          spec.type(String.class)
              .paramLabel(option.label())
              .completionCandidates(candidates(option))
              .build();
      case MAP ->
          spec.type(List.class)
              .auxiliaryTypes(String.class)
              .arity("1")
              .paramLabel(option.label())
              .build();
      case FLAG ->
          spec.type(Boolean.class)
              .negatable(option.fallback().filter(Boolean.TRUE::equals).isPresent())
              .defaultValue(option.fallback().map(Object::toString).orElse("false"))
              .fallbackValue("true")
              .build();
    };
  }

  /** What a shell completes: the choices, or null for any text. */
  private static List<String> candidates(Option<?> option) {
    return option.type().choices().isEmpty() ? null : option.type().choices();
  }

  /** The values on the command line, by key; of a map by key and name, as {@code column.prompt}. */
  Map<String, String> values(ParseResult line) {
    Map<String, String> values = new LinkedHashMap<>();
    for (Option<?> option : options) {
      if (line.hasMatchedOption(name(option))) {
        if (option.type().shape() == OptionType.Shape.MAP) {
          line.<List<String>>matchedOptionValue(name(option), List.of())
              .forEach(entry -> put(values, option.key(), entry));
        } else {
          values.put(option.key(), line.matchedOptionValue(name(option), (Object) "").toString());
        }
      }
    }
    return values;
  }

  /** Adds {@code name=value}; other texts are refused when they are read. */
  static void put(Map<String, String> values, String key, String entry) {
    int equals = entry.indexOf('=');
    if (equals < 1) {
      values.put(key, entry);
    } else {
      values.put(key + "." + entry.substring(0, equals), entry.substring(equals + 1));
    }
  }

  /** The value on the command line, else the default. */
  static <T> T value(ParseResult line, Option<T> option) {
    return find(line, option)
        .orElseThrow(() -> new IllegalStateException(option + " has no default"));
  }

  /** The value on the command line, else the default. */
  static <T> Optional<T> find(ParseResult line, Option<T> option) {
    return line.hasMatchedOption(name(option))
        ? Optional.of(option.read(line.matchedOptionValue(name(option), (Object) "").toString()))
        : option.fallback();
  }

  private String listed(Help help) {
    Map<String, OptionSpec> specs = new LinkedHashMap<>();
    help.commandSpec().options().forEach(spec -> specs.put(spec.longestName(), spec));
    Map<String, List<OptionSpec>> groups =
        options.stream()
            .collect(
                Collectors.groupingBy(
                    option -> option.group().title(),
                    LinkedHashMap::new,
                    Collectors.mapping(option -> specs.remove(name(option)), Collectors.toList())));
    StringBuilder text = new StringBuilder(list(help, List.copyOf(specs.values())));
    groups.forEach(
        (title, group) ->
            text.append(help.createHeading("%n" + title + ":%n")).append(list(help, group)));
    return text.toString();
  }

  private static String list(Help help, List<OptionSpec> specs) {
    Help.Layout layout = help.createDefaultLayout(specs, List.of(), help.colorScheme());
    layout.addAllOptions(specs, help.parameterLabelRenderer());
    return layout.toString();
  }
}
