package io.lightmill.pipeline.qwenimage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.verify.RecordedCalls;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every call that diffusers' QwenImagePipeline was recorded at, from token ids to the picture. */
class QwenImageReferenceTest {

  private static final Checkpoint CHECKPOINT =
      Checkpoint.open(Path.of("src/test/resources/reference/qwenimage/checkpoint"));

  @TestFactory
  Stream<DynamicNode> recordings() {
    return RecordedCalls.of("qwenimage", 47);
  }

  @Test
  void limitsAreThoseOfDiffusersPipeline() {
    assertThat(Families.limits(CHECKPOINT))
        .isEqualTo(
            new PipelineLimits(
                16,
                2048 * 2048,
                2048 * 2048,
                32_768 - 34,
                2,
                ClassifierFreeGuidance.TRUE_CFG_SCALE,
                new PipelineLimits.Defaults(1024, 1024, 50, 1, 4, 512),
                SamplingEfficiency.parse("sea@0.3+guidance-cache@0.5")));
  }

  /** What stands before the prompt is not counted, what stands behind it is. */
  @Test
  void promptsCountWithTheEndOfTheirTemplate() {
    try (PromptLength length = Families.promptLength(CHECKPOINT);
        PromptTokenizer tokenizer = PromptTokenizer.open(CHECKPOINT.component("tokenizer"))) {
      int whole =
          tokenizer.count(
              """
              <|im_start|>system
              Describe the image by detailing the color, shape, size, texture, quantity, text, \
              spatial relationships of the objects and background:<|im_end|>
              <|im_start|>user
              a red mug<|im_end|>
              <|im_start|>assistant
              """);
      assertThat(length.tokens("a red mug")).isEqualTo(whole - 34);
    }
  }

  /** The scheduler stretches noise levels to a last one, which takes two. */
  @Test
  void aSingleStepIsRefused() {
    ImageRequest request =
        ImageRequest.builder("a red mug")
            .width(32)
            .height(32)
            .numInferenceSteps(1)
            .guidanceScale(1)
            .trueCfgScale(1)
            .maxSequenceLength(64)
            .seed(7)
            .build();
    try (DiffusionPipeline pipeline = Families.load(CHECKPOINT, Device.CPU, DType.F32)) {
      assertThatExceptionOfType(LightmillException.class)
          .isThrownBy(() -> pipeline.generate(List.of(request)))
          .withMessageStartingWith("num_inference_steps is 1")
          .matches(e -> e.code() == ErrorCode.VALUE_INVALID);
    }
  }
}
