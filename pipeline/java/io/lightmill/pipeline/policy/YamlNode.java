package io.lightmill.pipeline.policy;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A value of a policy file, with its line from 1. */
sealed interface YamlNode {

  /** Levels of mappings and lists in each other. */
  int MOST_LEVELS = 16;

  int line();

  /** One value, as it is written. */
  record Scalar(String text, int line) implements YamlNode {}

  record Items(List<YamlNode> items, int line) implements YamlNode {}

  /**
   * A mapping.
   *
   * @param lines of the keys
   */
  record Fields(Map<String, YamlNode> fields, Map<String, Integer> lines, int line)
      implements YamlNode {}

  /**
   * Reads a document.
   *
   * @throws PolicyProblem if it is not YAML, has a key twice, an alias, or too many levels
   */
  static YamlNode read(String yaml) {
    try (YAMLParser parser = new YAMLFactory().createParser(yaml)) {
      if (parser.nextToken() == null) {
        throw new PolicyProblem(1, "is empty; write at least one category");
      }
      YamlNode document = value(parser, 1);
      if (parser.nextToken() != null) {
        throw new PolicyProblem(
            parser.currentTokenLocation().getLineNr(),
            "begins a second document; a policy is one document");
      }
      return document;
    } catch (JsonProcessingException e) {
      throw new PolicyProblem(
          e.getLocation() == null ? 1 : e.getLocation().getLineNr(),
          "is not YAML: "
              + e.getOriginalMessage().lines().findFirst().orElse("unreadable")
              + "; correct it");
    } catch (IOException e) {
      throw new IllegalStateException("a text can be read", e);
    }
  }

  private static YamlNode value(YAMLParser parser, int level) throws IOException {
    int line = line(parser);
    if (parser.isCurrentAlias()) {
      throw new PolicyProblem(line, "has an alias; write out the value, or name a list");
    }
    if (level > MOST_LEVELS) {
      throw new PolicyProblem(
          line, "has more than %d levels; a policy needs five".formatted(MOST_LEVELS));
    }
    return switch (parser.currentToken()) {
      case START_OBJECT -> fields(parser, line, level);
      case START_ARRAY -> {
        List<YamlNode> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          items.add(value(parser, level + 1));
        }
        yield new Items(List.copyOf(items), line);
      }
      case VALUE_NULL -> throw new PolicyProblem(line, "has a key or an item without a value");
      default -> new Scalar(parser.getText(), line);
    };
  }

  private static Fields fields(YAMLParser parser, int line, int level) throws IOException {
    Map<String, YamlNode> fields = new LinkedHashMap<>();
    Map<String, Integer> lines = new LinkedHashMap<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      Integer before = lines.put(key, line(parser));
      if (before != null) {
        throw new PolicyProblem(
            line(parser), "has '%s' twice, first in line %d; remove one".formatted(key, before));
      }
      parser.nextToken();
      fields.put(key, value(parser, level + 1));
    }
    return new Fields(fields, lines, line);
  }

  private static int line(JsonParser parser) {
    return parser.currentTokenLocation().getLineNr();
  }
}
