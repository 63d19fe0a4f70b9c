package io.lightmill.pipeline.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointCopy;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.flow.FlowPipeline;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints that are damaged, and inputs that a checkpoint does not take. */
class FluxDamageTest {

  private static final ImageRequest REQUEST =
      ImageRequest.builder("a red mug")
          .width(48)
          .height(32)
          .numInferenceSteps(2)
          .guidanceScale(3.5)
          .trueCfgScale(1)
          .maxSequenceLength(32)
          .seed(5)
          .build();
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path temporary;
  private CheckpointCopy checkpoint;

  @BeforeEach
  void copy() throws IOException {
    checkpoint = CheckpointCopy.of("flux-dev", temporary.resolve("checkpoint"));
  }

  @Test
  void allMissingWeightsAreNamed() throws IOException {
    checkpoint.change(
        "transformer/diffusion_pytorch_model",
        tensors ->
            tensors
                .keySet()
                .removeAll(List.of("proj_out.bias", "transformer_blocks.1.attn.norm_q.weight")));
    refusal(ErrorCode.WEIGHTS_INVALID)
        .withMessage(
            checkpoint.directory().resolve("transformer/diffusion_pytorch_model.safetensors")
                + " lacks the weights proj_out.bias, transformer_blocks.1.attn.norm_q.weight;"
                + " fetch the checkpoint again, or fix its config");
  }

  /** A config that describes another network than the file holds. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          transformer    | num_layers            | 3    | lacks the weights transformer_blocks.2.attn.add_k_proj.bias
          transformer    | num_single_layers     | 4    | lacks the weights single_transformer_blocks.3.attn.norm_k
          transformer    | num_attention_heads   | 3    | where the config requires
          transformer    | joint_attention_dim   | 41   | 'context_embedder.weight' of shape [32, 40] where the config requires [32, 41]
          text_encoder   | num_hidden_layers     | 5    | lacks the weights encoder.layers.2.layer_norm1.bias
          text_encoder   | vocab_size            | 9    | of shape [814, 24] where the config requires [9, 24]
          text_encoder_2 | d_kv                  | 9    | where the config requires [45, 40]
          text_encoder_2 | num_layers            | 3    | lacks the weights encoder.block.2.layer.0.SelfAttention.k.weight
          vae            | latent_channels       | 8    | 'decoder.conv_in.weight' of shape [16, 16, 3, 3] where the config requires [16, 8, 3, 3]
          vae            | layers_per_block      | 3    | lacks the weights decoder.up_blocks.0.resnets.3.conv1.bias
          """)
  void weightsThatDoNotFitTheirConfigAreNamed(
      String component, String key, int value, String message) throws IOException {
    checkpoint.config(component, config -> config.put(key, value));
    refusal(ErrorCode.WEIGHTS_INVALID)
        .withMessageStartingWith(checkpoint.directory().resolve(component).toString())
        .withMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          transformer    | attention_head_dim  | 0           | a whole number above 0
          transformer    | num_layers          | "two"       | a whole number above 0
          transformer    | axes_dims_rope      | [4, 6, 4]   | three even widths that add up to attention_head_dim, 16
          transformer    | axes_dims_rope      | [5, 5, 6]   | three even widths
          transformer    | patch_size          | 2           | must be 1
          transformer    | out_channels        | 16          | must be in_channels, 64
          transformer    | guidance_embeds     | 1           | must be true or false
          text_encoder   | hidden_act          | "swish"     | must be one of gelu, gelu_new
          text_encoder   | layer_norm_eps      | -1          | a number above 0
          text_encoder_2 | feed_forward_proj   | 7           | must be a string
          vae            | block_out_channels  | []          | a list of whole numbers above 0
          vae            | block_out_channels  | [8, 8, 18]  | multiples of norm_num_groups, 4
          vae            | up_block_types      | ["AttnUpDecoderBlock2D"] | UpDecoderBlock2D alone
          vae            | out_channels        | 4           | red, green and blue
          vae            | act_fn              | "relu"      | one of silu
          vae            | scaling_factor      | 0           | a number above 0
          """)
  void aConfigThatCannotBeIsNamed(String component, String key, String value, String message)
      throws IOException {
    checkpoint.config(component, config -> config.set(key, tree(value)));
    refusal(ErrorCode.CHECKPOINT_INVALID)
        .withMessageStartingWith(
            checkpoint.directory().resolve(component).resolve("config.json").toString())
        .withMessageContaining("'" + key + "'")
        .withMessageContaining(message)
        .withMessageEndingWith("fix it or fetch the checkpoint again");
  }

  @Test
  void anUnknownActivationOfT5IsNamed() throws IOException {
    checkpoint.config(
        "text_encoder_2",
        config -> config.put("feed_forward_proj", "gated-swish").remove("dense_act_fn"));
    refusal(ErrorCode.CHECKPOINT_INVALID)
        .withMessageContaining("\"gated-swish\" for 'feed_forward_proj', which must be one of");
  }

  @Test
  void componentsOfDifferentCheckpointsAreRefused() throws IOException {
    Path other = ReferenceCheckpoint.of("flux-schnell");
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.write(
          checkpoint.directory().resolve("text_encoder_2").resolve(file),
          Files.readAllBytes(other.resolve("text_encoder_2").resolve(file)));
    }
    String message =
        checkpoint.directory().resolve("transformer/config.json")
            + " has 40 for 'joint_attention_dim' where the component 'text_encoder_2' gives 32;"
            + " fetch the whole checkpoint";
    refusal(ErrorCode.CHECKPOINT_INVALID).withMessage(message);
    assertThatExceptionOfType(LightmillException.class)
        .as("from configs and headers alone")
        .isThrownBy(() -> Families.requireComplete(open()))
        .withMessage(message);
  }

  @Test
  void aTruncatedFileIsNamed() throws IOException {
    Path file = checkpoint.directory().resolve("vae/diffusion_pytorch_model.safetensors");
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 7));
    refusal(ErrorCode.WEIGHTS_INVALID).withMessageStartingWith(file + " ends at byte");
  }

  @Test
  void noPictureIsDrawnFromNoNumbers() throws IOException {
    Path file = checkpoint.directory().resolve("scheduler/scheduler_config.json");
    ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
    assertThat(Families.limits(open()).minInferenceSteps()).isEqualTo(1);
    JSON.writeValue(file.toFile(), config.put("shift_terminal", 0.02));
    assertThat(Families.limits(open()).minInferenceSteps()).isEqualTo(2);
    try (FlowPipeline pipeline = load()) {
      ImageRequest single =
          ImageRequest.builder("a red mug")
              .width(48)
              .height(32)
              .numInferenceSteps(1)
              .guidanceScale(3.5)
              .trueCfgScale(1)
              .maxSequenceLength(32)
              .seed(5)
              .build();
      assertThatExceptionOfType(LightmillException.class)
          .isThrownBy(() -> pipeline.generate(List.of(single)))
          .withMessageStartingWith("num_inference_steps is 1")
          .matches(e -> e.code() == ErrorCode.VALUE_INVALID);
      assertThat(pipeline.generate(List.of(REQUEST))).hasSize(1);
    }
  }

  @Test
  void latentsOfAnotherShapeAreRefused() {
    try (FlowPipeline pipeline = load();
        Tensor latents = Tensor.of(new float[64], 1, 1, 64)) {
      assertThatExceptionOfType(LightmillException.class)
          .isThrownBy(() -> pipeline.draw(List.of(REQUEST), Optional.of(latents), TensorProbe.NONE))
          .withMessage(
              "the latents have the shape [1, 1, 64], but this batch starts from [1, 6, 64]; pass"
                  + " latents of that shape")
          .matches(e -> e.code() == ErrorCode.INPUT_INVALID);
    }
  }

  private FlowPipeline load() {
    return Families.load(open(), Device.CPU, DType.F32);
  }

  private Checkpoint open() {
    return Checkpoint.open(checkpoint.directory());
  }

  private ThrowableAssertAlternative<LightmillException> refusal(ErrorCode code) {
    return assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> load().close())
        .matches(e -> e.code() == code);
  }

  private static JsonNode tree(String json) throws IOException {
    return JSON.readTree(json);
  }
}
