package io.lightmill.pipeline.flux2;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.verify.RecordedCalls;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every call that diffusers' Flux2KleinPipeline was recorded at, distilled and not, from token ids
 * to the picture.
 */
class Flux2KleinReferenceTest {

  private static final Checkpoint CHECKPOINT =
      Checkpoint.open(Path.of("src/test/resources/reference/flux2-klein/checkpoint"));

  @TestFactory
  Stream<DynamicNode> recordings() {
    return RecordedCalls.of("flux2-klein", 66);
  }

  @Test
  void limitsAreThoseOfDiffusersPipeline() {
    assertThat(Families.limits(CHECKPOINT))
        .isEqualTo(
            new PipelineLimits(
                16,
                4 * 1024 * 1024,
                4 * 1024 * 1024,
                32_768,
                1,
                ClassifierFreeGuidance.NONE,
                new PipelineLimits.Defaults(1024, 1024, 4, 4, 1, 512),
                SamplingEfficiency.parse("sea@0.3")));
  }

  @Test
  void promptsCountWithTheirTemplate() {
    try (PromptLength length = Families.promptLength(CHECKPOINT);
        PromptTokenizer tokenizer = PromptTokenizer.open(CHECKPOINT.component("tokenizer"))) {
      assertThat(length.tokens("a red mug"))
          .isEqualTo(
              tokenizer.count(
                  """
                  <|im_start|>user
                  a red mug<|im_end|>
                  <|im_start|>assistant
                  <think>

                  </think>

                  """));
    }
  }

  /** The two lines that the shift was fitted to: 10 and 200 steps; above 4300 tokens one alone. */
  @Test
  void theShiftLiesBetweenItsLines() {
    assertThat(Flux2KleinFamily.mu(1000, 10)).isCloseTo(1.985714, within(1e-5));
    assertThat(Flux2KleinFamily.mu(1000, 200)).isCloseTo(0.625937, within(1e-5));
    assertThat(Flux2KleinFamily.mu(4300, 105)).isCloseTo(1.729295, within(1e-5));
    assertThat(Flux2KleinFamily.mu(4301, 4)).isCloseTo(1.184697, within(1e-5));
  }
}
