package io.lightmill.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.LightmillException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.text.similarity.LevenshteinDistance;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Completes a command line with its job file: options of the command line win, and what may be
 * repeated is merged.
 *
 * <p>A relative {@code input} or {@code checkpoint} is one beside the job file, so that a job file
 * works from any directory; Spark tables are told by {@code input-format: table}. Everything else
 * is read as on the command line.
 */
final class JobFileArguments {

  static final String CONFIG = "--config";

  private static final Set<String> BESIDE_THE_FILE = Set.of("input", "checkpoint");
  private static final Pattern URI_SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*:.*");

  private final JobFile file;
  private final ParseResult given;
  private final Map<String, OptionSpec> options;

  private JobFileArguments(JobFile file, ParseResult given) {
    this.file = file;
    this.given = given;
    this.options = keys(given.commandSpec());
  }

  /** What a job file may set, in the order of the usage text. */
  static Map<String, OptionSpec> keys(CommandSpec command) {
    return command.options().stream()
        .filter(option -> !option.usageHelp() && !option.versionHelp())
        .filter(option -> !option.longestName().equals(CONFIG))
        .collect(
            Collectors.toMap(
                option -> option.longestName().substring(2),
                option -> option,
                (one, other) -> one,
                LinkedHashMap::new));
  }

  /**
   * Parses once more with the values of the job file, if the command names one.
   *
   * @throws LightmillException if the file names no option of the command or gives one a value that
   *     it does not take
   */
  static ParseResult complete(ParseResult parsed) {
    ParseResult command = parsed.hasSubcommand() ? parsed.subcommand() : parsed;
    if (!command.hasMatchedOption(CONFIG) || command.isUsageHelpRequested()) {
      return parsed;
    }
    Path path = command.matchedOption(CONFIG).getValue();
    return new JobFileArguments(JobFile.read(path), command).merge(parsed);
  }

  private ParseResult merge(ParseResult parsed) {
    List<String> line = parsed.originalArgs();
    int command = line.indexOf(given.commandSpec().name());
    List<String> arguments = new ArrayList<>(line.subList(0, command + 1));
    file.entries().keySet().stream().flatMap(this::arguments).forEach(arguments::add);
    arguments.addAll(line.subList(command + 1, line.size()));
    try {
      return parsed.commandSpec().commandLine().parseArgs(arguments.toArray(String[]::new));
    } catch (ParameterException e) {
      throw inFile(e);
    }
  }

  private Stream<String> arguments(String key) {
    OptionSpec option = options.get(key);
    if (option == null) {
      throw file.refusal(key, unknown(key));
    }
    if (!option.isMultiValue() && given.hasMatchedOption(option)) {
      return Stream.empty();
    }
    return values(key, option).map(value -> option.longestName() + "=" + value);
  }

  private Stream<String> values(String key, OptionSpec option) {
    JsonNode value = file.entries().get(key).value();
    if (!option.isMultiValue()) {
      if (!scalar(value)) {
        throw file.refusal(key, "'%s' takes one value.".formatted(key));
      }
      return Stream.of(
          BESIDE_THE_FILE.contains(key) ? besideTheFile(value.asText()) : value.asText());
    }
    if (!value.isContainerNode() || !value.valueStream().allMatch(JobFileArguments::scalar)) {
      throw file.refusal(key, "'%s' takes a mapping of names to values.".formatted(key));
    }
    return value.isObject()
        ? value.propertyStream().map(each -> each.getKey() + "=" + each.getValue().asText())
        : value.valueStream().map(JsonNode::asText);
  }

  private static boolean scalar(JsonNode value) {
    return value.isValueNode() && !value.isNull();
  }

  private String besideTheFile(String location) {
    JobFile.Entry format = file.entries().get("input-format");
    boolean table = format != null && format.value().asText().equals("table");
    return table || URI_SCHEME.matcher(location).matches()
        ? location
        : file.path().resolveSibling(location).toString();
  }

  private String unknown(String key) {
    LevenshteinDistance distance = LevenshteinDistance.getDefaultInstance();
    String closest =
        Collections.min(options.keySet(), Comparator.comparingInt(o -> distance.apply(key, o)));
    return "'%s' is no option of '%s'; the closest is '%s'."
        .formatted(key, given.commandSpec().qualifiedName(), closest);
  }

  /** Where the refused value stands, if it is the file's. */
  private RuntimeException inFile(ParameterException refusal) {
    return options.entrySet().stream()
        .filter(option -> option.getValue().equals(refusal.getArgSpec()))
        .map(Map.Entry::getKey)
        .filter(file.entries()::containsKey)
        .findFirst()
        .<RuntimeException>map(key -> file.refusal(key, refusal.getMessage()))
        .orElse(refusal);
  }
}
