package io.lightmill.jobs;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A YAML file whose keys are the long names of options. Lists and mappings stand for options that
 * may be repeated.
 *
 * @param path of the file
 * @param entries by key, in the order of the file
 */
record JobFile(Path path, Map<String, Entry> entries) {

  private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

  /**
   * What a key was given.
   *
   * @param value a scalar, a list or a mapping
   * @param line of the key in the file, from 1
   */
  record Entry(JsonNode value, int line) {}

  /**
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if the file is missing, is not
   *     YAML, is not a mapping, or has a key twice
   */
  static JobFile read(Path path) {
    try (JsonParser parser = YAML.createParser(Files.newBufferedReader(path))) {
      return new JobFile(path, entries(path, parser));
    } catch (JsonProcessingException e) {
      throw invalid(
          "Job file %s is not YAML: %s"
              .formatted(path, firstLine(e.getOriginalMessage(), lineOf(e))));
    } catch (NoSuchFileException e) {
      throw invalid("Job file %s cannot be read: there is no such file.".formatted(path));
    } catch (IOException e) {
      throw invalid("Job file %s cannot be read: %s.".formatted(path, e));
    }
  }

  private static Map<String, Entry> entries(Path path, JsonParser parser) throws IOException {
    if (parser.nextToken() != JsonToken.START_OBJECT) {
      throw invalid(
          "Job file %s must hold a mapping of option names, such as 'input: prompts.csv'."
              .formatted(path));
    }
    Map<String, Entry> entries = new LinkedHashMap<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      int line = parser.currentTokenLocation().getLineNr();
      parser.nextToken();
      Entry before = entries.put(key, new Entry(YAML.readTree(parser), line));
      if (before != null) {
        throw invalid(
            "Job file %s, line %d: '%s' is given for the second time, after line %d; remove one."
                .formatted(path, line, key, before.line()));
      }
    }
    return entries;
  }

  /** A refusal that names the line of a key. */
  LightmillException refusal(String key, String reason) {
    return invalid("Job file %s, line %d: %s".formatted(path, entries.get(key).line(), reason));
  }

  private static String lineOf(JsonProcessingException e) {
    return e.getLocation() == null ? "" : " at line " + e.getLocation().getLineNr();
  }

  private static String firstLine(String message, String place) {
    return message.lines().findFirst().orElse("unreadable") + place + ".";
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message);
  }
}
