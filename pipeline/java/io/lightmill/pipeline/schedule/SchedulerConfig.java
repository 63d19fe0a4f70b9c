package io.lightmill.pipeline.schedule;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.Optional;

/** The values of a {@code scheduler_config.json}; keys that are absent or null take a default. */
record SchedulerConfig(JsonNode root) {

  boolean flag(String key, boolean absent) {
    return value(key)
        .map(node -> require(node.isBoolean(), key, "true or false").asBoolean())
        .orElse(absent);
  }

  double number(String key, double absent) {
    return value(key)
        .map(node -> require(node.isNumber(), key, "a number").asDouble())
        .orElse(absent);
  }

  double positive(String key, double absent) {
    double number = number(key, absent);
    require(number > 0 && Double.isFinite(number), key, "a number above 0");
    return number;
  }

  int count(String key, int absent) {
    return value(key)
        .map(
            node ->
                require(node.isInt() && node.intValue() > 0, key, "a whole number above 0").asInt())
        .orElse(absent);
  }

  String text(String key, String absent) {
    return value(key).map(node -> require(node.isTextual(), key, "text").asText()).orElse(absent);
  }

  private Optional<JsonNode> value(String key) {
    return Optional.ofNullable(root.get(key)).filter(node -> !node.isNull());
  }

  JsonNode require(boolean condition, String key, String expected) {
    JsonNode value = root.path(key);
    if (!condition) {
      throw invalid("has %s %s where %s is needed; write one".formatted(key, value, expected));
    }
    return value;
  }

  /** The failure of a config that is wrong in a way and has a mend. */
  static LightmillException invalid(String faultAndMend) {
    return new LightmillException(
        ErrorCode.CHECKPOINT_INVALID, "scheduler_config.json %s.".formatted(faultAndMend));
  }
}
