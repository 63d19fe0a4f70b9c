package io.lightmill.pipeline.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;

/**
 * A component's JSON file, whose values are read by type. Every accessor throws a {@link
 * LightmillException} that names file and key if the value is missing or of another type.
 *
 * @param file that holds it
 * @param json an object
 */
public record ComponentConfig(Path file, JsonNode json) {

  private static final ObjectMapper JSON = new ObjectMapper();

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

  public int integer(String key) {
    JsonNode value = json.path(key);
    if (!value.canConvertToInt() || !value.isIntegralNumber()) {
      throw wrong(key, "a whole number");
    }
    return value.intValue();
  }

  public int integer(String key, int absent) {
    return json.path(key).isNull() || json.path(key).isMissingNode() ? absent : integer(key);
  }

  public double number(String key, double absent) {
    JsonNode value = json.path(key);
    if (value.isNull() || value.isMissingNode()) {
      return absent;
    }
    if (!value.isNumber()) {
      throw wrong(key, "a number");
    }
    return value.doubleValue();
  }

  public boolean flag(String key, boolean absent) {
    JsonNode value = json.path(key);
    if (value.isNull() || value.isMissingNode()) {
      return absent;
    }
    if (!value.isBoolean()) {
      throw wrong(key, "true or false");
    }
    return value.booleanValue();
  }

  public String text(String key, String absent) {
    JsonNode value = json.path(key);
    if (value.isNull() || value.isMissingNode()) {
      return absent;
    }
    if (!value.isTextual()) {
      throw wrong(key, "a string");
    }
    return value.textValue();
  }

  public int[] integers(String key) {
    JsonNode value = json.path(key);
    boolean all = value.isArray() && !value.isEmpty();
    for (JsonNode element : value) {
      all &= element.isIntegralNumber() && element.canConvertToInt();
    }
    if (!all) {
      throw wrong(key, "a list of whole numbers");
    }
    return IntStream.range(0, value.size()).map(i -> value.get(i).intValue()).toArray();
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
        ErrorCode.CHECKPOINT_INVALID, "%s %s; fetch the checkpoint again".formatted(file, what));
  }
}
