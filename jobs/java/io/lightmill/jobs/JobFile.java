package io.lightmill.jobs;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.checkpoint.RegularFile;
import io.lightmill.udfs.option.CheckOptions;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.option.OptionRegistry;
import io.lightmill.udfs.option.OptionType;
import io.lightmill.udfs.option.Options;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A YAML file with options of a run. An option that is a map has a mapping, or a list of {@code
 * name=value}.
 *
 * <p>Relative paths of the prompt table, of the checkpoint and of the policy are relative to the
 * job file, so that it works from any directory. Names of Spark tables ({@code input-format:
 * table}) are no paths, nor are ids of models on the Hugging Face Hub and the policies {@code
 * default} and {@code none}.
 *
 * <p>The mapping {@code variables} has names and values that other values use as {@link
 * Placeholders}.
 */
final class JobFile {

  private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

  /** A YAML reader takes minutes for a value of 20 MB. */
  private static final int MOST_BYTES = 1 << 18;

  private static final Pattern URI_SCHEME = Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*:.*");

  /** Key of the variables that values use, which is no option. */
  private static final String VARIABLES = "variables";

  private final Path path;
  private final Map<Option<?>, Entry> entries = new LinkedHashMap<>();
  private final Map<String, String> variables = new LinkedHashMap<>();

  /**
   * @param line of the key in the file, from 1
   */
  private record Entry(JsonNode value, int line) {}

  private JobFile(Path path) {
    this.path = path;
  }

  /**
   * Reads a file.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} and the line, if the file is
   *     missing, is not a YAML mapping, has an unknown key, or a key twice
   */
  static JobFile read(Path path) {
    JobFile file = new JobFile(path);
    try (JsonParser parser = YAML.createParser(text(path))) {
      file.parse(parser);
    } catch (JsonProcessingException e) {
      String reason = e.getOriginalMessage().lines().findFirst().orElse("unreadable");
      throw invalid(
          "job file %s is not YAML: %s%s"
              .formatted(
                  path,
                  reason,
                  e.getLocation() == null ? "" : " at line " + e.getLocation().getLineNr()));
    } catch (NoSuchFileException e) {
      throw invalid("job file %s does not exist; check its path".formatted(path));
    } catch (IOException e) {
      throw invalid("job file %s cannot be read (%s); check its permissions".formatted(path, e));
    }
    return file;
  }

  /** Values by the names of the variables that the file declares. */
  Map<String, String> variables() {
    return variables;
  }

  /**
   * The options, as {@link GenerationOptions#parse} takes them.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} and the line, for an invalid
   *     value
   */
  Map<String, String> values(Placeholders placeholders) {
    Map<String, String> values = new LinkedHashMap<>();
    entries.forEach((option, entry) -> values.putAll(values(option, entry, placeholders)));
    return values;
  }

  private static String text(Path path) throws IOException {
    byte[] bytes = RegularFile.read(path, MOST_BYTES, ErrorCode.CONFIGURATION_INVALID);
    return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
  }

  private void parse(JsonParser parser) throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw invalid(
          "job file %s must have a mapping of options, such as 'input: prompts.csv'"
              .formatted(path));
    }
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      int line = parser.currentTokenLocation().getLineNr();
      if (key.strip().equalsIgnoreCase(VARIABLES)) {
        parser.nextToken();
        declare(line, YAML.readTree(parser));
        continue;
      }
      Option<?> option =
          OptionRegistry.named(key)
              .orElseThrow(
                  () ->
                      refusal(
                          line,
                          "there is no option '%s'; did you mean '%s'?"
                              .formatted(key, OptionRegistry.closest(key))));
      parser.nextToken();
      Entry before = entries.put(option, new Entry(YAML.readTree(parser), line));
      if (before != null) {
        throw refusal(
            line,
            "option '%s' is given twice, first in line %d; remove one"
                .formatted(option, before.line()));
      }
    }
  }

  private void declare(int line, JsonNode value) {
    if (!value.isObject() || !value.valueStream().allMatch(JobFile::scalar)) {
      throw refusal(line, "'variables' must be a mapping of names to values");
    }
    value.propertyStream().forEach(each -> variables.put(each.getKey(), each.getValue().asText()));
  }

  private Map<String, String> values(Option<?> option, Entry entry, Placeholders placeholders) {
    Map<String, String> values = new LinkedHashMap<>();
    JsonNode value = entry.value();
    if (option.type().shape() == OptionType.Shape.MAP) {
      if (!value.isContainerNode() || !value.valueStream().allMatch(JobFile::scalar)) {
        throw refusal(entry.line(), "option '%s' must be a mapping".formatted(option));
      }
      if (value.isObject()) {
        value
            .propertyStream()
            .forEach(
                each ->
                    values.put(
                        option + "." + each.getKey(),
                        replaced(entry, option, each.getValue(), placeholders)));
      } else {
        value
            .valueStream()
            .forEach(
                each ->
                    RegisteredOptions.put(
                        values, option.key(), replaced(entry, option, each, placeholders)));
      }
    } else {
      if (!scalar(value)) {
        throw refusal(entry.line(), "option '%s' must be one value".formatted(option));
      }
      String text = replaced(entry, option, value, placeholders);
      values.put(option.key(), option.relative() ? resolved(entry.line(), option, text) : text);
    }
    values.forEach((key, text) -> check(entry.line(), key, text));
    return values;
  }

  private String replaced(
      Entry entry, Option<?> option, JsonNode value, Placeholders placeholders) {
    try {
      return placeholders.replaced(option, value.asText());
    } catch (LightmillException e) {
      throw refusal(entry.line(), e.getMessage());
    }
  }

  private void check(int line, String key, String text) {
    try {
      GenerationOptions.check(key, text);
    } catch (LightmillException e) {
      throw refusal(line, e.getMessage());
    }
  }

  private static boolean scalar(JsonNode value) {
    return value.isValueNode() && !value.isNull();
  }

  private String resolved(int line, Option<?> option, String location) {
    if (URI_SCHEME.matcher(location).matches()) {
      return location;
    }
    try {
      return besideFile(option, location);
    } catch (InvalidPathException e) { // of a character that no path has
      throw refusal(
          line, "option '%s' must be a path: %s; correct it".formatted(option, e.getMessage()));
    }
  }

  private String besideFile(Option<?> option, String location) {
    boolean table =
        option.equals(Options.INPUT)
            && Optional.ofNullable(entries.get(Options.INPUT_FORMAT))
                .filter(format -> format.value().asText().equalsIgnoreCase("table"))
                .isPresent();
    Path beside = path.resolveSibling(location);
    boolean ofHub =
        option.equals(ModelOptions.CHECKPOINT)
            && CheckpointCache.isHubId(location)
            && !Files.exists(beside)
            && !Files.exists(Path.of(location));
    boolean ofRelease =
        option.equals(CheckOptions.POLICY)
            && (location.equals("default") || location.equals("none"));
    return table || ofHub || ofRelease ? location : beside.toString();
  }

  private LightmillException refusal(int line, String reason) {
    return invalid("job file %s, line %d: %s".formatted(path, line, reason));
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message);
  }
}
