package io.lightmill.pipeline.stablediffusion3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.flow.FlowPipeline;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.commons.io.file.PathUtils;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints without T5, at their limits, and damaged. */
class StableDiffusion3CheckpointTest {

  private static final ImageRequest REQUEST =
      ImageRequest.builder("a red mug")
          .negativePrompt("blurry")
          .width(48)
          .height(32)
          .numInferenceSteps(2)
          .guidanceScale(4)
          .trueCfgScale(1)
          .maxSequenceLength(40)
          .seed(5)
          .build();
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path temporary;
  private Path directory;

  @BeforeEach
  void copy() throws IOException {
    directory = ReferenceCheckpoint.copy("sd35", temporary.resolve("checkpoint"));
  }

  @Test
  void withoutT5ItsWordsAreZeros() throws IOException {
    Path silent = ReferenceCheckpoint.copy("sd35", temporary.resolve("silent"));
    zero(silent.resolve("text_encoder_3/model.safetensors"), "encoder.final_layer_norm.weight");
    float[] expected = draw(silent, DType.F32);
    assertThat(Arrays.equals(draw(directory, DType.F32), expected)).isFalse();

    leaveOutT5();

    assertThat(Arrays.equals(draw(directory, DType.F32), expected)).isTrue();
  }

  @Test
  void withoutT5PromptsAreCountedByClip() throws IOException {
    leaveOutT5();
    Checkpoint checkpoint = Checkpoint.open(directory);
    try (PromptLength length = Families.promptLength(checkpoint)) {
      assertThat(length.tokens("")).isEqualTo(2); // the start and the end of CLIP
      assertThat(length.most(256)).isEqualTo(77);
      assertThat(length.most(40)).isEqualTo(40);
    }
    assertThat(Families.limits(checkpoint).defaults().maxSequenceLength()).isEqualTo(256);
  }

  @Test
  void limitsAndDefaultsAreThoseOfConfigsAndDiffusers() {
    assertThat(Families.limits(Checkpoint.open(ReferenceCheckpoint.of("sd3"))))
        .isEqualTo(
            new PipelineLimits(
                16,
                24 * 16,
                1024 * 1024,
                512,
                1,
                ClassifierFreeGuidance.GUIDANCE_SCALE,
                new PipelineLimits.Defaults(128, 128, 28, 7, 1, 256),
                SamplingEfficiency.parse("sea@0.3+guidance-cache@0.5")));
    assertThat(Families.limits(Checkpoint.open(directory)))
        .isEqualTo(
            new PipelineLimits(
                16,
                32 * 16,
                2 * 1024 * 1024,
                512,
                1,
                ClassifierFreeGuidance.GUIDANCE_SCALE,
                new PipelineLimits.Defaults(256, 256, 28, 7, 1, 256),
                SamplingEfficiency.parse("sea@0.3+guidance-cache@0.5")));
  }

  /** The largest side takes the table of positions whole, the other its middle. */
  @Test
  void theLargestSideIsDrawn() {
    Checkpoint checkpoint = Checkpoint.open(directory);
    int side = Families.limits(checkpoint).maxSide();
    ImageRequest wide =
        ImageRequest.builder("a mug")
            .width(side)
            .height(16)
            .numInferenceSteps(1)
            .guidanceScale(1)
            .trueCfgScale(1)
            .maxSequenceLength(8)
            .seed(1)
            .build();
    ImageRequest high =
        ImageRequest.builder("a mug")
            .width(16)
            .height(side)
            .numInferenceSteps(1)
            .guidanceScale(1)
            .trueCfgScale(1)
            .maxSequenceLength(8)
            .seed(1)
            .build();
    try (FlowPipeline pipeline = Families.load(checkpoint, Device.CPU, DType.F32)) {
      assertThat(pipeline.generate(List.of(wide)).get(0).width()).isEqualTo(side);
      assertThat(pipeline.generate(List.of(high)).get(0).height()).isEqualTo(side);
    }
  }

  @Test
  void sixteenBitsDrawNearlyTheSame() {
    float[] wide = drawFromLatents(DType.F32);
    float[] narrow = drawFromLatents(DType.BF16);
    double sum = 0;
    for (int i = 0; i < wide.length; i++) {
      sum += Math.abs(wide[i] - narrow[i]);
    }
    assertThat(sum / wide.length).isBetween(1e-6, 0.02);
  }

  /** Noise itself depends on the type. */
  private float[] drawFromLatents(DType dtype) {
    float[] values = new float[16 * 4 * 6];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.sin(i * 1.7);
    }
    try (FlowPipeline pipeline = Families.load(Checkpoint.open(directory), Device.CPU, dtype);
        Tensor latents = Tensor.of(values, 1, 16, 4, 6);
        Tensor image = pipeline.draw(List.of(REQUEST), Optional.of(latents), TensorProbe.NONE)) {
      return image.toFloats();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "out_channels | 8 | out_channels",
        "caption_projection_dim | 64 | caption_projection_dim",
        "qk_norm | \"layer_norm\" | qk_norm",
        "dual_attention_layers | [-1] | dual_attention_layers",
        "dual_attention_layers | [0, 1, 2] | transformer_blocks.2.attn2",
        "dual_attention_layers | [] | transformer_blocks.0.norm1.linear.weight",
        "pos_embed_max_size | 16 | pos_embed.pos_embed",
        "joint_attention_dim | 96 | context_embedder.weight",
        "pooled_projection_dim | 40 | text_embedder.linear_1"
      })
  void aConfigThatContradictsTheWeightsIsRefused(String key, String value, String named)
      throws IOException {
    edit("transformer/config.json", config -> config.set(key, json(value)));
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> draw(directory, DType.F32))
        .withMessageContaining(named);
  }

  @Test
  void withoutQkNormTheWeightsOfTheNormsAreLeftWhereTheyAre() throws IOException {
    float[] normed = draw(directory, DType.F32);
    edit("transformer/config.json", config -> config.putNull("qk_norm"));
    assertThat(Arrays.equals(draw(directory, DType.F32), normed)).isFalse();
  }

  @Test
  void encodersOfAnotherCheckpointAreRefused() throws IOException {
    PathUtils.deleteDirectory(directory.resolve("text_encoder_3"));
    PathUtils.copyDirectory(
        ReferenceCheckpoint.of("sd3").resolve("text_encoder_3"),
        directory.resolve("text_encoder_3"));
    assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> draw(directory, DType.F32))
        .withMessageContaining("has 64 for 'joint_attention_dim' where")
        .withMessageContaining("'text_encoder_3' gives 48")
        .satisfies(e -> assertThat(e.code()).isEqualTo(ErrorCode.CHECKPOINT_INVALID));
  }

  @Test
  void latentsOfAnotherShapeAreRefused() {
    try (FlowPipeline pipeline = Families.load(Checkpoint.open(directory), Device.CPU, DType.F32);
        Tensor latents = Tensor.of(new float[16 * 6 * 6], 1, 16, 6, 6)) {
      assertThatExceptionOfType(LightmillException.class)
          .isThrownBy(() -> pipeline.draw(List.of(REQUEST), Optional.of(latents), TensorProbe.NONE))
          .withMessageContaining("[1, 16, 4, 6]");
    }
  }

  private void leaveOutT5() throws IOException {
    for (String component : List.of("text_encoder_3", "tokenizer_3")) {
      PathUtils.deleteDirectory(directory.resolve(component));
      edit("model_index.json", index -> index.putArray(component).addNull().addNull());
    }
  }

  private void edit(String file, Consumer<ObjectNode> change) throws IOException {
    Path path = directory.resolve(file);
    ObjectNode json = (ObjectNode) JSON.readTree(path.toFile());
    change.accept(json);
    JSON.writeValue(path.toFile(), json);
  }

  private static JsonNode json(String value) {
    try {
      return JSON.readTree(value);
    } catch (IOException e) {
      throw new IllegalArgumentException(value, e);
    }
  }

  /** Overwrites one tensor of a safetensors file with zeros. */
  private static void zero(Path file, String tensor) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    int header = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    JsonNode offsets = JSON.readTree(bytes, 8, header).get(tensor).get("data_offsets");
    int start = 8 + header;
    Arrays.fill(bytes, start + offsets.get(0).asInt(), start + offsets.get(1).asInt(), (byte) 0);
    Files.write(file, bytes);
  }

  private static float[] draw(Path directory, DType dtype) {
    try (FlowPipeline pipeline = Families.load(Checkpoint.open(directory), Device.CPU, dtype);
        Tensor image = pipeline.draw(List.of(REQUEST), Optional.empty(), TensorProbe.NONE)) {
      return image.toFloats();
    }
  }
}
