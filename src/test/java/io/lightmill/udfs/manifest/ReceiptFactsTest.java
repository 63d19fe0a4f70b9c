package io.lightmill.udfs.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.Screening;
import io.lightmill.pipeline.Verdict;
import io.lightmill.pipeline.image.PromptMetadata;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class ReceiptFactsTest {

  private static final Verdict OF_PROMPT = verdict(Verdict.Stage.PROMPT, "toxic", 0.9);
  private static final Verdict OF_IMAGE = verdict(Verdict.Stage.IMAGE, "nsfw", Double.NaN);

  private static final DrawingFacts FACTS =
      DrawingFacts.ofVerdicts(List.of(OF_PROMPT, OF_IMAGE))
          .with(
              Optional.of(
                  new Screening(
                      Map.of("toxic", 0.9),
                      List.of(
                          new Screening.Draw(
                              7, Map.of(), OptionalDouble.empty(), Screening.Fate.FAILED),
                          new Screening.Draw(
                              1L << 40,
                              Map.of("nsfw", Double.NaN),
                              OptionalDouble.of(21.5),
                              Screening.Fate.PASSED)),
                      OptionalInt.of(1))));

  private static Verdict verdict(Verdict.Stage stage, String label, double score) {
    return new Verdict(
        stage,
        label,
        Verdict.Severity.MEDIUM,
        label,
        Optional.of(new Verdict.Score(score, 0.5)),
        Verdict.Action.FLAG,
        "digest");
  }

  private static DrawingFacts stored(DrawingFacts facts, PromptMetadata prompts) {
    return ReceiptFacts.read(
        "{\"%s\":%s}".formatted(ReceiptFacts.KEY, ReceiptFacts.of(facts, prompts).orElseThrow()));
  }

  @Test
  void verdictsScoresAndSeedAreReadBack() {
    assertThat(stored(FACTS, PromptMetadata.FULL)).isEqualTo(FACTS);
  }

  @Test
  void nothingOfAHiddenPromptIsStored() {
    DrawingFacts hidden = stored(FACTS, PromptMetadata.HASH);

    assertThat(hidden.verdicts()).containsExactly(OF_IMAGE);
    assertThat(hidden.screening().orElseThrow().prompt()).isEmpty();
    assertThat(hidden.screening().orElseThrow().seed()).contains(1L << 40);
  }

  @Test
  void otherReceiptsHaveNone() {
    assertThat(ReceiptFacts.of(DrawingFacts.ofCalls(8), PromptMetadata.FULL)).isEmpty();
    for (String receipt :
        List.of(
            "{}",
            "\"checked\"",
            "{\"checked\":{\"scores\":{\"draws\":[{}]}}}",
            "{\"checked\":{\"verdicts\":[{\"stage\":\"moon\"}]}}",
            "{\"checked\":")) {
      assertThat(ReceiptFacts.read(receipt)).as(receipt).isEqualTo(DrawingFacts.NONE);
    }
  }
}
