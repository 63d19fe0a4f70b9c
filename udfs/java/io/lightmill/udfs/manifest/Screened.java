package io.lightmill.udfs.manifest;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.Screening;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Row;

/**
 * What the manifest says of scores and draws.
 *
 * @param seed that the image was drawn with; null if there is none
 * @param draws images that were drawn for the row
 * @param scores as JSON: {@code prompt}, an object of labels, and {@code draws}, a list of objects
 *     with {@code seed}, {@code result} (chosen, passed, blocked or failed), {@code labels} and
 *     {@code score}
 */
public record Screened(Long seed, Integer draws, String scores) {

  private static final JsonMapper JSON = new JsonMapper();

  /** The columns that {@link #read} needs. */
  public static final List<ManifestColumn> COLUMNS =
      List.of(ManifestColumns.SEED_USED, ManifestColumns.DRAWS, ManifestColumns.SCORES);

  /** What classifiers and scorer found; null if there are none. */
  public static Screened of(Screening screening) {
    return screening == null
        ? null
        : new Screened(screening.seed().orElse(null), screening.draws().size(), json(screening));
  }

  /** What an earlier manifest says. */
  public static Screened read(Row row) {
    return new Screened(
        ManifestColumns.SEED_USED.of(row),
        ManifestColumns.DRAWS.of(row),
        ManifestColumns.SCORES.of(row));
  }

  private static String json(Screening screening) {
    ObjectNode root = JSON.createObjectNode();
    labels(root, "prompt", screening.prompt());
    ArrayNode draws = root.putArray("draws");
    for (int i = 0; i < screening.draws().size(); i++) {
      Screening.Draw draw = screening.draws().get(i);
      boolean chosen = draw.fate() == Screening.Fate.PASSED && screening.chosen().orElse(-1) == i;
      ObjectNode node =
          draws
              .addObject()
              .put("seed", draw.seed())
              .put("result", chosen ? "chosen" : draw.fate().label());
      labels(node, "labels", draw.labels());
      draw.score().ifPresent(score -> node.put("score", score));
    }
    return root.toString();
  }

  private static void labels(ObjectNode node, String key, Map<String, Double> scores) {
    if (!scores.isEmpty()) {
      ObjectNode labels = node.putObject(key);
      scores.forEach(labels::put);
    }
  }
}
