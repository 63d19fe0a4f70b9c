package io.lightmill.pipeline.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.node.ArrayNode;
import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PipelineLimits.Defaults;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointCopy;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.families.Families;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FluxLimitsTest {

  private static final String POCKET_EFFICIENT = "sea@0.7+guidance@0-0.15";

  private static final Path POCKET = Path.of("pipeline/resources/models/pocket");

  @Test
  void theCheckpointThatShipsFollowsItsCard() {
    assertThat(limits(POCKET))
        .isEqualTo(
            limits(256, new Defaults(128, 128, 8, 3.5, 1, 64))
                .withEfficient(SamplingEfficiency.parse(POCKET_EFFICIENT)));
  }

  @Test
  void aCardGivesTheEfficientSampling(@TempDir Path temporary) throws IOException {
    Path directory = ReferenceCheckpoint.copy("flux-dev", temporary.resolve("checkpoint"));
    Files.writeString(directory.resolve("README.md"), card("first-block+guidance@0-.5"));
    assertThat(limits(directory).efficient())
        .isEqualTo(SamplingEfficiency.parse("first-block@0.08+guidance@0-0.5"));
    Files.writeString(directory.resolve("README.md"), card("fast"));
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> limits(directory))
        .withMessageContaining(
            "has \"fast\" for 'inference.parameters.sampling_efficiency', which must be parts of")
        .matches(e -> e.code() == ErrorCode.CHECKPOINT_INVALID);
  }

  private static String card(String efficiency) {
    return "---\ninference: {parameters: {sampling_efficiency: " + efficiency + "}}\n---\n";
  }

  @Test
  void withoutACardTheDefaultsAreThoseOfDiffusers() {
    assertThat(limits(ReferenceCheckpoint.of("flux-dev")))
        .isEqualTo(limits(512, new Defaults(1024, 1024, 28, 3.5, 1, 512)));
    assertThat(limits(ReferenceCheckpoint.of("flux-schnell")).defaults().numInferenceSteps())
        .isEqualTo(4);
  }

  @Test
  void limitsNeedNoWeights(@TempDir Path temporary) throws IOException {
    Path directory = ReferenceCheckpoint.copy("flux-dev", temporary.resolve("checkpoint"));
    for (String weights :
        new String[] {
          "transformer/diffusion_pytorch_model", "vae/diffusion_pytorch_model", "text_encoder/model"
        }) {
      Files.delete(directory.resolve(weights + ".safetensors"));
    }
    Files.writeString(
        directory.resolve("README.md"),
        "---\ninference: {parameters: {width: 96, true_cfg_scale: 2, guidance_scale: 1.5}}\n---\n");
    assertThat(limits(directory).defaults()).isEqualTo(new Defaults(96, 1024, 28, 1.5, 2, 512));
    Files.writeString(
        directory.resolve("README.md"), "---\ninference: {parameters: {height: tall}}\n---\n");
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> limits(directory))
        .withMessageContaining("has \"tall\" for 'inference.parameters.height'");
  }

  /** Sizes follow the autoencoder's levels. */
  @Test
  void threeLevelsMakeAFactorOfFour(@TempDir Path temporary) throws IOException {
    CheckpointCopy copy = CheckpointCopy.of("flux-dev", temporary.resolve("checkpoint"));
    copy.config(
        "vae",
        config -> {
          config.putArray("block_out_channels").add(8).add(8).add(16);
          ((ArrayNode) config.get("up_block_types")).remove(3);
        });
    PipelineLimits limits = limits(copy.directory());
    assertThat(limits.sizeMultiple()).isEqualTo(8);
    assertThat(limits.defaults().width()).isEqualTo(512);
  }

  @Test
  void promptsAreCountedInTokensOfT5() {
    try (PromptLength length = Families.promptLength(Checkpoint.open(POCKET))) {
      assertThat(length.tokens("")).isEqualTo(1);
      int few = length.tokens("a red mug on a wooden table");
      assertThat(few).isBetween(7, 32);
      assertThat(length.tokens("a red mug on a wooden table ".repeat(50)))
          .isEqualTo(50 * (few - 1) + 1);
    }
  }

  private static PipelineLimits limits(int maxSequenceLength, Defaults defaults) {
    int twoMegapixels = 2 * 1024 * 1024;
    return new PipelineLimits(
        16,
        twoMegapixels,
        twoMegapixels,
        maxSequenceLength,
        1,
        ClassifierFreeGuidance.TRUE_CFG_SCALE,
        defaults,
        SamplingEfficiency.parse("sea@0.3+guidance-cache@0.5"));
  }

  private static PipelineLimits limits(Path directory) {
    return Families.limits(Checkpoint.open(directory));
  }
}
