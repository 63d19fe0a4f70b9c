package io.lightmill.udfs.manifest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.Screening;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * Scores and draws as the JSON of the manifest column {@code scores}: {@code prompt}, an object of
 * labels; {@code draws}, a list of objects with {@code seed}, {@code result} (passed, blocked or
 * failed), {@code labels} and {@code score}; and {@code chosen}, the index of the draw that the row
 * has.
 */
public final class ScreeningJson {

  private static final JsonMapper JSON = new JsonMapper();

  private ScreeningJson() {}

  public static String of(Screening screening) {
    ObjectNode root = JSON.createObjectNode();
    labels(root, "prompt", screening.prompt());
    ArrayNode draws = root.putArray("draws");
    for (Screening.Draw draw : screening.draws()) {
      ObjectNode node =
          draws.addObject().put("seed", draw.seed()).put("result", draw.fate().label());
      labels(node, "labels", draw.labels());
      draw.score().ifPresent(score -> node.put("score", score));
    }
    screening.chosen().ifPresent(index -> root.put("chosen", index));
    return root.toString();
  }

  private static void labels(ObjectNode node, String key, Map<String, Double> scores) {
    if (!scores.isEmpty()) {
      ObjectNode labels = node.putObject(key);
      scores.forEach(labels::put);
    }
  }

  /** The scores and draws of a manifest row; empty if it has none. */
  public static Optional<Screening> read(String json) {
    if (json == null) {
      return Optional.empty();
    }
    try {
      JsonNode root = JSON.readTree(json);
      List<Screening.Draw> draws = new ArrayList<>();
      for (JsonNode draw : root.path("draws")) {
        draws.add(
            new Screening.Draw(
                draw.path("seed").longValue(),
                labels(draw.path("labels")),
                draw.has("score")
                    ? OptionalDouble.of(number(draw.get("score")))
                    : OptionalDouble.empty(),
                Screening.Fate.valueOf(draw.path("result").asText().toUpperCase(Locale.ROOT))));
      }
      return Optional.of(
          new Screening(
              labels(root.path("prompt")),
              draws,
              root.has("chosen")
                  ? OptionalInt.of(root.get("chosen").intValue())
                  : OptionalInt.empty()));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("scores of a manifest are JSON", e);
    }
  }

  private static Map<String, Double> labels(JsonNode node) {
    Map<String, Double> labels = new LinkedHashMap<>();
    node.properties().forEach(label -> labels.put(label.getKey(), number(label.getValue())));
    return labels;
  }

  /** Jackson writes NaN as a string. */
  private static double number(JsonNode node) {
    return node.isTextual() ? Double.parseDouble(node.textValue()) : node.doubleValue();
  }
}
