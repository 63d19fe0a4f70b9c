package io.lightmill.udfs.manifest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Verdicts as the JSON of the manifest column {@code verdicts}. */
public final class VerdictJson {

  private static final JsonMapper JSON = new JsonMapper();

  private VerdictJson() {}

  /** An array of objects; null for no verdicts. */
  public static String of(List<Verdict> verdicts) {
    if (verdicts.isEmpty()) {
      return null;
    }
    ArrayNode array = JSON.createArrayNode();
    for (Verdict verdict : verdicts) {
      ObjectNode object =
          array
              .addObject()
              .put("stage", verdict.stage().label())
              .put("category", verdict.category())
              .put("severity", verdict.severity().label())
              .put("rule", verdict.rule())
              .put("action", verdict.action().label());
      verdict
          .score()
          .ifPresent(
              score -> object.put("score", score.value()).put("threshold", score.threshold()));
      object.put("policy", verdict.policy());
    }
    return array.toString();
  }

  /** The verdicts of a manifest row or of a row of the plan. */
  public static List<Verdict> read(String json) {
    if (json == null) {
      return List.of();
    }
    try {
      List<Verdict> verdicts = new ArrayList<>();
      for (JsonNode each : JSON.readTree(json)) {
        verdicts.add(
            new Verdict(
                Verdict.Stage.labelled(each.path("stage").asText()),
                each.path("category").asText(),
                Verdict.Severity.labelled(each.path("severity").asText()),
                each.path("rule").asText(),
                Optional.of(each)
                    .filter(it -> it.has("score"))
                    .map(
                        it ->
                            new Verdict.Score(
                                it.path("score").asDouble(), it.path("threshold").asDouble())),
                Verdict.Action.labelled(each.path("action").asText()),
                each.path("policy").asText()));
      }
      return verdicts;
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("verdicts of a manifest are JSON", e);
    }
  }
}
