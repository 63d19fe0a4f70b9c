package io.lightmill.pipeline.zimage;

import static org.assertj.core.api.Assertions.assertThat;

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

/** Every call that diffusers' ZImagePipeline was recorded at, from token ids to the picture. */
class ZImageReferenceTest {

  private static final Checkpoint CHECKPOINT =
      Checkpoint.open(Path.of("src/test/resources/reference/zimage/checkpoint"));

  @TestFactory
  Stream<DynamicNode> recordings() {
    return RecordedCalls.of("zimage", 55);
  }

  @Test
  void limitsAreThoseOfDiffusersPipeline() {
    assertThat(Families.limits(CHECKPOINT))
        .isEqualTo(
            new PipelineLimits(
                16,
                2048 * 2048,
                2048 * 2048,
                992,
                1,
                ClassifierFreeGuidance.POSITIVE_GUIDANCE_SCALE,
                new PipelineLimits.Defaults(1024, 1024, 50, 5, 1, 512),
                SamplingEfficiency.parse("sea@0.3+guidance-cache@0.5")));
  }

  @Test
  void promptsCountWithTheirTemplate() {
    try (PromptLength length = Families.promptLength(CHECKPOINT);
        PromptTokenizer tokenizer = PromptTokenizer.open(CHECKPOINT.component("tokenizer"))) {
      assertThat(length.tokens("a red mug"))
          .isEqualTo(
              tokenizer.count("<|im_start|>user\na red mug<|im_end|>\n<|im_start|>assistant\n"));
    }
  }
}
