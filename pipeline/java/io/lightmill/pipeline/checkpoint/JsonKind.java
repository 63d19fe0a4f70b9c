package io.lightmill.pipeline.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.function.Predicate;

/** Kinds of JSON values. */
final class JsonKind {

  private JsonKind() {}

  static boolean isList(JsonNode value, Predicate<JsonNode> valid) {
    return value.isArray() && value.valueStream().allMatch(valid);
  }

  static boolean isInteger(JsonNode value) {
    return value.isIntegralNumber() && value.canConvertToInt();
  }

  static boolean isIndex(JsonNode value) {
    return isInteger(value) && value.intValue() >= 0;
  }

  static boolean isCount(JsonNode value) {
    return isInteger(value) && value.intValue() > 0;
  }
}
