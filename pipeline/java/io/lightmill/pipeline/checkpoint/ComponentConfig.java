package io.lightmill.pipeline.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * A component's JSON file, whose values are read by type. Keys that are absent or null take the
 * default of the class that reads them. Every accessor throws a {@link LightmillException} that
 * names file and key if the value is missing without a default, of another type or out of range.
 *
 * @param file that holds it
 * @param json an object
 */
public record ComponentConfig(Path file, JsonNode json) {

  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  /** Reads a file that holds a JSON object. */
  public static ComponentConfig read(Path file) {
    try {
      JsonNode json = JSON.readTree(Files.readString(file));
      if (!json.isObject()) {
        throw invalid(file, "is no JSON object");
      }
      return new ComponentConfig(file, json);
    } catch (JsonProcessingException e) {
      throw invalid(file, "is not JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s cannot be read (%s); a checkpoint in diffusers' layout has it".formatted(file, e),
          e);
    }
  }

  /** Any whole number. */
  public int integer(String key, int absent) {
    return value(key, "a whole number", ComponentConfig::isInteger)
        .map(JsonNode::intValue)
        .orElse(absent);
  }

  /** A whole number above 0, such as a width or a number of layers. */
  public int count(String key, int absent) {
    return value(key, "a whole number above 0", ComponentConfig::isCount)
        .map(JsonNode::intValue)
        .orElse(absent);
  }

  /** A {@link #count(String, int)} that must be there. */
  public int count(String key) {
    if (!json.hasNonNull(key)) {
      throw wrong(key, "a whole number above 0");
    }
    return count(key, 0);
  }

  /** Any number. */
  public double number(String key, double absent) {
    return value(key, "a number", JsonNode::isNumber).map(JsonNode::doubleValue).orElse(absent);
  }

  /** A number above 0. */
  public double positive(String key, double absent) {
    return value(key, "a number above 0", node -> node.isNumber() && node.doubleValue() > 0)
        .map(JsonNode::doubleValue)
        .orElse(absent);
  }

  public boolean flag(String key, boolean absent) {
    return value(key, "true or false", JsonNode::isBoolean)
        .map(JsonNode::booleanValue)
        .orElse(absent);
  }

  public String text(String key, String absent) {
    return value(key, "a string", JsonNode::isTextual).map(JsonNode::textValue).orElse(absent);
  }

  /** One of some names. */
  public String choice(String key, String absent, Collection<String> names) {
    return value(
            key,
            "one of " + String.join(", ", names),
            node -> node.isTextual() && names.contains(node.textValue()))
        .map(JsonNode::textValue)
        .orElse(absent);
  }

  /** A list of at least one whole number above 0. */
  public List<Integer> counts(String key, List<Integer> absent) {
    return value(
            key,
            "a list of whole numbers above 0",
            node ->
                node.isArray()
                    && !node.isEmpty()
                    && node.valueStream().allMatch(ComponentConfig::isCount))
        .map(list -> list.valueStream().map(JsonNode::intValue).toList())
        .orElse(absent);
  }

  /** A list of so many numbers, which must be there. */
  public List<Float> floats(String key, int size) {
    String wanted = "a list of %d numbers".formatted(size);
    return value(
            key,
            wanted,
            node ->
                node.isArray()
                    && node.size() == size
                    && node.valueStream().allMatch(JsonNode::isNumber))
        .map(list -> list.valueStream().map(JsonNode::floatValue).toList())
        .orElseThrow(() -> wrong(key, wanted));
  }

  /** A list of whole numbers from 0, such as places of layers; empty if it is absent. */
  public Set<Integer> indices(String key) {
    return value(
            key,
            "a list of whole numbers from 0",
            node ->
                node.isArray()
                    && node.valueStream().allMatch(n -> isInteger(n) && n.intValue() >= 0))
        .map(list -> list.valueStream().map(JsonNode::intValue).collect(Collectors.toSet()))
        .orElse(Set.of());
  }

  /** The value of a key; empty if it is absent or null. */
  private Optional<JsonNode> value(String key, String wanted, Predicate<JsonNode> condition) {
    if (!json.hasNonNull(key)) {
      return Optional.empty();
    }
    if (!condition.test(json.get(key))) {
      throw wrong(key, wanted);
    }
    return Optional.of(json.get(key));
  }

  private static boolean isInteger(JsonNode value) {
    return value.isIntegralNumber() && value.canConvertToInt();
  }

  private static boolean isCount(JsonNode value) {
    return isInteger(value) && value.intValue() > 0;
  }

  /** Says what is wrong with the value of a key. */
  public LightmillException wrong(String key, String wanted) {
    JsonNode value = json.path(key);
    return invalid(
        file,
        value.isMissingNode()
            ? "lacks '%s', which must be %s".formatted(key, wanted)
            : "has %s for '%s', which must be %s".formatted(value, key, wanted));
  }

  private static LightmillException invalid(Path file, String what) {
    return new LightmillException(
        ErrorCode.CHECKPOINT_INVALID,
        "%s %s; fix it or fetch the checkpoint again".formatted(file, what));
  }
}
