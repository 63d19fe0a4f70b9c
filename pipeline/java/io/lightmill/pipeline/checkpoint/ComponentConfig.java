package io.lightmill.pipeline.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * A JSON object whose values are read by type. A key that is absent or null takes the default that
 * the caller passes. Every accessor throws a {@link LightmillException} that names the source and
 * the key if a value is required and missing, has another type or is out of range.
 *
 * <p>It records the keys that were read, so that a reader can refuse the others.
 */
public final class ComponentConfig {

  /** The most layers where no weights are known; no released model has a tenth. */
  private static final long MOST_LAYERS = 10_000;

  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private final ConfigSource source;
  private final JsonNode json;
  private final LongSupplier tensors;
  private final KeysRead read = new KeysRead();

  /**
   * @param source of the object, for messages
   * @param json the object; a missing node counts as an empty object
   */
  public ComponentConfig(ConfigSource source, JsonNode json) {
    this(source, json, () -> MOST_LAYERS);
  }

  private ComponentConfig(ConfigSource source, JsonNode json, LongSupplier tensors) {
    this.source = source;
    this.json = json;
    this.tensors = tensors;
  }

  /** An object of a checkpoint's file. */
  public ComponentConfig(Path file, JsonNode json) {
    this(ConfigSource.of(file), json);
  }

  /**
   * This config of a component with weights.
   *
   * @param tensors how many the weights have
   */
  ComponentConfig withTensors(LongSupplier tensors) {
    return new ComponentConfig(source, json, tensors);
  }

  /** Where the object comes from. */
  public ConfigSource source() {
    return source;
  }

  /** The object; {@link #requireAllRead} does not count what is read from it. */
  public JsonNode json() {
    return json;
  }

  /** Reads a checkpoint's file that holds a JSON object of {@link RegularFile#CONFIG_BYTES}. */
  public static ComponentConfig read(Path file) {
    return read(file, RegularFile.CONFIG_BYTES);
  }

  /** Reads a checkpoint's file that holds a JSON object. */
  public static ComponentConfig read(Path file, int mostBytes) {
    ConfigSource source = ConfigSource.of(file);
    try {
      JsonNode json =
          JSON.readTree(RegularFile.read(file, mostBytes, ErrorCode.CHECKPOINT_INVALID));
      if (!json.isObject()) {
        throw source.invalid("does not hold a JSON object", null);
      }
      return new ComponentConfig(source, json);
    } catch (JsonProcessingException e) {
      throw source.invalid("is not JSON (" + e.getOriginalMessage() + ")", e);
    } catch (IOException e) {
      throw RegularFile.unreadable(file, e);
    }
  }

  /** Whether a key has a value other than null. */
  public boolean has(String key) {
    read.add(key);
    return json.hasNonNull(key);
  }

  /** An object within this one; empty if it is absent or null. */
  public Optional<ComponentConfig> object(String key) {
    return value(key, "an object", JsonNode::isObject)
        .map(object -> new ComponentConfig(source.below(key), object, tensors));
  }

  /** Any whole number. */
  public int integer(String key, int absent) {
    return value(key, "a whole number", JsonKind::isInteger).map(JsonNode::intValue).orElse(absent);
  }

  /** A whole number above 0, such as a width or a number of layers. */
  public int count(String key, int absent) {
    return has(key) ? count(key) : absent;
  }

  /**
   * A {@link #count(String, int)} of layers. Each has a tensor at least, so there are not more of
   * them than tensors in the component's weights.
   */
  public int layers(String key, int absent) {
    int layers = count(key, absent);
    if (has(key) && layers > tensors.getAsLong()) {
      throw wrong(
          key, "at most %d, the number of tensors in the weights".formatted(tensors.getAsLong()));
    }
    return layers;
  }

  /** A required {@link #count(String, int)}. */
  public int count(String key) {
    return required(key, "a whole number above 0", JsonKind::isCount).intValue();
  }

  /** A required whole number from 0, such as a token id. */
  public int index(String key) {
    return required(key, "a whole number from 0", JsonKind::isIndex).intValue();
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
    return has(key) ? text(key) : absent;
  }

  /** A required string. */
  public String text(String key) {
    return required(key, "a string", JsonNode::isTextual).textValue();
  }

  /** A string, or a list of strings; empty if it is absent. */
  public List<String> texts(String key) {
    return value(
            key,
            "a string or a list of strings",
            node -> node.isTextual() || JsonKind.isList(node, JsonNode::isTextual))
        .map(
            node ->
                node.isTextual()
                    ? List.of(node.textValue())
                    : node.valueStream().map(JsonNode::textValue).toList())
        .orElse(List.of());
  }

  /** The names in a list; empty if it is absent. */
  public List<String> names(String key) {
    return value(key, "a list of names", node -> JsonKind.isList(node, JsonNode::isTextual))
        .map(list -> list.valueStream().map(JsonNode::textValue).toList())
        .orElse(List.of());
  }

  /** The length of a list; empty if it is absent. */
  public OptionalInt length(String key) {
    return value(key, "a list", JsonNode::isArray)
        .map(list -> OptionalInt.of(list.size()))
        .orElse(OptionalInt.empty());
  }

  /** Requires a flag that may be absent to have the one value that Lightmill computes. */
  public void requireFlag(String key, boolean only) {
    if (flag(key, only) != only) {
      throw wrong(key, Boolean.toString(only));
    }
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
            node -> !node.isEmpty() && JsonKind.isList(node, JsonKind::isCount))
        .map(list -> list.valueStream().map(JsonNode::intValue).toList())
        .orElse(absent);
  }

  /** A required list of {@code size} numbers. */
  public List<Float> floats(String key, int size) {
    return required(
            key,
            "a list of %d numbers".formatted(size),
            node -> node.size() == size && JsonKind.isList(node, JsonNode::isNumber))
        .valueStream()
        .map(JsonNode::floatValue)
        .toList();
  }

  /** A list of whole numbers from 0, such as indices of layers; empty if it is absent. */
  public Set<Integer> indices(String key) {
    return value(
            key, "a list of whole numbers from 0", node -> JsonKind.isList(node, JsonKind::isIndex))
        .map(list -> list.valueStream().map(JsonNode::intValue).collect(Collectors.toSet()))
        .orElse(Set.of());
  }

  private JsonNode required(String key, String expected, Predicate<JsonNode> valid) {
    return value(key, expected, valid).orElseThrow(() -> wrong(key, expected));
  }

  /** The value of a key; empty if it is absent or null. */
  private Optional<JsonNode> value(String key, String expected, Predicate<JsonNode> valid) {
    if (!has(key)) {
      return Optional.empty();
    }
    if (!valid.test(json.get(key))) {
      throw wrong(key, expected);
    }
    return Optional.of(json.get(key));
  }

  /** The keys that were read, present or not. */
  public Set<String> keysRead() {
    return read.keys();
  }

  /**
   * Refuses keys that have not been read: they may change the image. Null and empty values say
   * nothing, and keys that begin with an underscore are notes of the libraries that wrote them.
   *
   * @param idle keys without an effect on the image
   */
  public void requireAllRead(Collection<String> idle) {
    read.requireAll(this, idle);
  }

  /** The error for the value of a key. */
  public LightmillException wrong(String key, String expected) {
    JsonNode value = json.path(key);
    String name = source.path() + key;
    return source.invalid(
        value.isMissingNode()
            ? "lacks '%s', which must be %s".formatted(name, expected)
            : "has %s for '%s', which must be %s".formatted(value, name, expected),
        null);
  }
}
