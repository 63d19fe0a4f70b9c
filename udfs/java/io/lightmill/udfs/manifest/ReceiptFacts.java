package io.lightmill.udfs.manifest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.Screening;
import io.lightmill.pipeline.Verdict;
import io.lightmill.pipeline.image.PromptMetadata;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What the receipt of an image says about its checks, so that verdicts, scores and the seed of the
 * stored image outlive an attempt or a run that wrote no manifest: an object with the values of the
 * manifest columns {@code verdicts} and {@code scores}.
 */
public final class ReceiptFacts {

  /** The member of the receipt. */
  public static final String KEY = "checked";

  private static final String VERDICTS = "verdicts";
  private static final String SCORES = "scores";

  private static final JsonMapper JSON = new JsonMapper();

  private ReceiptFacts() {}

  /**
   * The object for a receipt; empty where no classifier or scorer has read the image.
   *
   * @param prompts if prompts are not shown, what a classifier found in them is not either
   */
  public static Optional<JsonNode> of(DrawingFacts facts, PromptMetadata prompts) {
    return facts.screening().map(screening -> object(facts.verdicts(), screening, prompts));
  }

  private static JsonNode object(
      List<Verdict> verdicts, Screening screening, PromptMetadata prompts) {
    boolean shown = prompts == PromptMetadata.FULL;
    Screening scores =
        shown ? screening : new Screening(Map.of(), screening.draws(), screening.chosen());
    String found =
        VerdictJson.of(
            verdicts.stream()
                .filter(verdict -> shown || verdict.stage() != Verdict.Stage.PROMPT)
                .toList());
    ObjectNode checked = JSON.createObjectNode();
    if (found != null) {
      checked.set(VERDICTS, tree(found));
    }
    checked.set(SCORES, tree(ScreeningJson.of(scores)));
    return checked;
  }

  private static JsonNode tree(String json) {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("verdicts and scores are JSON", e);
    }
  }

  /** The facts in a receipt; none if it has none, or none that can be read. */
  public static DrawingFacts read(String receipt) {
    if (!receipt.contains('"' + KEY + '"')) {
      return DrawingFacts.NONE; // most receipts, which need not be parsed
    }
    try {
      JsonNode checked = JSON.readTree(receipt).path(KEY);
      return DrawingFacts.ofVerdicts(VerdictJson.read(text(checked.path(VERDICTS))))
          .with(ScreeningJson.read(text(checked.path(SCORES))));
    } catch (JsonProcessingException | RuntimeException e) { // of a file that anyone may write
      return DrawingFacts.NONE;
    }
  }

  private static String text(JsonNode node) {
    return node.isContainerNode() ? node.toString() : null;
  }
}
