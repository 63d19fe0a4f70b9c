package io.lightmill.pipeline.flux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.Pipelines;
import io.lightmill.pipeline.TensorProbe;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.checkpoint.StoredBytes;
import io.lightmill.pipeline.torch.DType;
import io.lightmill.pipeline.torch.Device;
import io.lightmill.pipeline.torch.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.assertj.core.api.ThrowableAssertAlternative;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Checkpoints that store the same otherwise, and checkpoints that are damaged. */
class FluxCheckpointTest {

  private static final ImageRequest REQUEST =
      new ImageRequest("a red mug", Optional.empty(), 48, 32, 2, 3.5, 1, 32, 5);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> WEIGHTS =
      List.of(
          "text_encoder/model",
          "text_encoder_2/model",
          "transformer/diffusion_pytorch_model",
          "vae/diffusion_pytorch_model");

  @TempDir Path temporary;
  private Path directory;

  @BeforeEach
  void copy() throws IOException {
    directory = ReferenceCheckpoint.copy("flux-dev", temporary.resolve("checkpoint"));
  }

  @Test
  void shardsDrawWhatOneFileDraws() throws IOException {
    float[] whole = draw(DType.F32);
    float[] rough = draw(DType.BF16);
    for (String weights : WEIGHTS) {
      shard(weights);
    }
    assertClose(draw(DType.F32), whole);
    assertThat(Arrays.equals(draw(DType.BF16), rough)).isTrue(); // converted, so aligned alike
  }

  /** Weights that were rounded to bfloat16 are the same numbers in either type of file. */
  @Test
  void sixteenBitFilesDrawWhatTheirNumbersDraw() throws IOException {
    for (String weights : WEIGHTS) {
      rewrite(weights, FluxCheckpointTest::truncated);
    }
    float[] wide = draw(DType.F32);
    for (String weights : WEIGHTS) {
      rewrite(weights, FluxCheckpointTest::asBfloat16);
    }
    assertClose(draw(DType.F32), wide);
  }

  /** From the same latents: a generator draws other noise in 16 bits. */
  @Test
  void sixteenBitsOnTheDeviceDrawNearlyTheSame() {
    float[] noise = new float[6 * 64];
    Random random = new Random(3);
    for (int i = 0; i < noise.length; i++) {
      noise[i] = (float) random.nextGaussian();
    }
    float[] exact = draw(DType.F32, Optional.of(noise));
    float[] rough = draw(DType.BF16, Optional.of(noise));
    double sum = 0;
    for (int i = 0; i < exact.length; i++) {
      sum += Math.abs(exact[i] - rough[i]);
    }
    assertThat(sum / exact.length).isBetween(1e-5, 0.05);
  }

  @Test
  void weightsOfOlderReleasesAreKnownUnderTheirNames() throws IOException {
    float[] today = draw(DType.F32);
    rename("text_encoder/model", "text_model.", "");
    rename("text_encoder_2/model", "shared.weight", "encoder.embed_tokens.weight");
    rename(
        "vae/diffusion_pytorch_model",
        "mid_block.attentions.0.to_q",
        "mid_block.attentions.0.query");
    rename(
        "vae/diffusion_pytorch_model",
        "mid_block.attentions.0.to_out.0",
        "mid_block.attentions.0.proj_attn");
    assertClose(draw(DType.F32), today);
  }

  @Test
  void whatNoNetworkAsksForIsLeftAlone() throws IOException {
    float[] plain = draw(DType.F32);
    change(
        "transformer/diffusion_pytorch_model",
        tensors -> tensors.put("transformer_blocks.7.odd", StoredBytes.of(new float[] {1}, 1L)));
    change(
        "text_encoder/model",
        tensors ->
            tensors.put(
                "text_model.embeddings.position_ids",
                new StoredBytes("I64", List.of(1L), new byte[8])));
    assertClose(draw(DType.F32), plain);
  }

  @Test
  void allMissingWeightsAreNamed() throws IOException {
    change(
        "transformer/diffusion_pytorch_model",
        tensors ->
            tensors
                .keySet()
                .removeAll(List.of("proj_out.bias", "transformer_blocks.1.attn.norm_q.weight")));
    refusal(ErrorCode.WEIGHTS_INVALID)
        .withMessage(
            directory.resolve("transformer/diffusion_pytorch_model.safetensors")
                + " lacks the weights proj_out.bias, transformer_blocks.1.attn.norm_q.weight;"
                + " fetch the checkpoint again, or mend its config");
  }

  /** A config that describes another network than the file holds. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          transformer    | num_layers            | 3    | lacks the weights transformer_blocks.2.attn.add_k_proj.bias
          transformer    | num_single_layers     | 4    | lacks the weights single_transformer_blocks.3.attn.norm_k
          transformer    | num_attention_heads   | 3    | where the config asks for
          transformer    | joint_attention_dim   | 41   | 'context_embedder.weight' of shape [32, 40] where the config asks for [32, 41]
          text_encoder   | num_hidden_layers     | 5    | lacks the weights encoder.layers.2.layer_norm1.bias
          text_encoder   | vocab_size            | 9    | of shape [814, 24] where the config asks for [9, 24]
          text_encoder_2 | d_kv                  | 9    | where the config asks for [45, 40]
          text_encoder_2 | num_layers            | 3    | lacks the weights encoder.block.2.layer.0.SelfAttention.k.weight
          vae            | latent_channels       | 8    | 'decoder.conv_in.weight' of shape [16, 16, 3, 3] where the config asks for [16, 8, 3, 3]
          vae            | layers_per_block      | 3    | lacks the weights decoder.up_blocks.0.resnets.3.conv1.bias
          """)
  void weightsThatDoNotFitTheirConfigAreNamed(
      String component, String key, int value, String message) throws IOException {
    config(component, config -> config.put(key, value));
    refusal(ErrorCode.WEIGHTS_INVALID)
        .withMessageStartingWith(directory.resolve(component).toString())
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
    config(component, config -> config.set(key, tree(value)));
    refusal(ErrorCode.CHECKPOINT_INVALID)
        .withMessageStartingWith(directory.resolve(component).resolve("config.json").toString())
        .withMessageContaining("'" + key + "'")
        .withMessageContaining(message)
        .withMessageEndingWith("mend it or fetch the checkpoint again");
  }

  @Test
  void anUnknownActivationOfT5IsNamed() throws IOException {
    config(
        "text_encoder_2",
        config -> config.put("feed_forward_proj", "gated-swish").remove("dense_act_fn"));
    refusal(ErrorCode.CHECKPOINT_INVALID)
        .withMessageContaining("\"gated-swish\" for 'feed_forward_proj', which must be one of");
  }

  @Test
  void keysWithDefaultsMayBeAbsent() throws IOException {
    float[] complete = draw(DType.F32);
    config(
        "text_encoder",
        config ->
            config.remove(List.of("hidden_act", "layer_norm_eps", "max_position_embeddings")));
    config(
        "text_encoder_2",
        config ->
            config.remove(
                List.of(
                    "dense_act_fn",
                    "layer_norm_epsilon",
                    "relative_attention_num_buckets",
                    "relative_attention_max_distance")));
    config("transformer", config -> config.remove(List.of("patch_size", "out_channels")));
    config(
        "vae",
        config -> config.remove(List.of("mid_block_add_attention", "act_fn", "out_channels")));
    assertClose(draw(DType.F32), complete);
  }

  @Test
  void componentsOfDifferentCheckpointsAreRefused() throws IOException {
    Path other = ReferenceCheckpoint.of("flux-schnell");
    for (String file : List.of("config.json", "model.safetensors")) {
      Files.write(
          directory.resolve("text_encoder_2").resolve(file),
          Files.readAllBytes(other.resolve("text_encoder_2").resolve(file)));
    }
    refusal(ErrorCode.CHECKPOINT_INVALID)
        .withMessage(
            directory.resolve("transformer/config.json")
                + " has 40 for 'joint_attention_dim' where the component 'text_encoder_2' gives 32;"
                + " fetch the checkpoint whole");
  }

  @Test
  void aTruncatedFileIsNamed() throws IOException {
    Path file = directory.resolve("vae/diffusion_pytorch_model.safetensors");
    byte[] bytes = Files.readAllBytes(file);
    Files.write(file, Arrays.copyOf(bytes, bytes.length - 7));
    refusal(ErrorCode.WEIGHTS_INVALID).withMessageStartingWith(file + " ends at byte");
  }

  @Test
  void noPictureIsDrawnFromNoNumbers() throws IOException {
    Path file = directory.resolve("scheduler/scheduler_config.json");
    ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
    JSON.writeValue(file.toFile(), config.put("shift_terminal", 0.02));
    try (DiffusionPipeline pipeline = load(DType.F32)) {
      ImageRequest single =
          new ImageRequest("a red mug", Optional.empty(), 48, 32, 1, 3.5, 1, 32, 5);
      assertThatExceptionOfType(LightmillException.class)
          .isThrownBy(() -> pipeline.generate(List.of(single)))
          .withMessageStartingWith("num_inference_steps is 1")
          .matches(e -> e.code() == ErrorCode.VALUE_INVALID);
      assertThat(pipeline.generate(List.of(REQUEST))).hasSize(1);
    }
  }

  @Test
  void latentsOfAnotherShapeAreRefused() {
    try (DiffusionPipeline pipeline = load(DType.F32);
        Tensor latents = Tensor.of(new float[64], 1, 1, 64)) {
      assertThatExceptionOfType(LightmillException.class)
          .isThrownBy(() -> pipeline.draw(List.of(REQUEST), Optional.of(latents), TensorProbe.NONE))
          .withMessage(
              "the latents have the shape [1, 1, 64], where this batch starts from [1, 6, 64]")
          .matches(e -> e.code() == ErrorCode.INPUT_INVALID);
    }
  }

  /** Equal but for rounding: the engine rounds by where in memory a weight begins. */
  private static void assertClose(float[] actual, float[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double largest = 0;
    for (int i = 0; i < actual.length; i++) {
      largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
    }
    assertThat(largest).isLessThan(5e-6);
  }

  private DiffusionPipeline load(DType dtype) {
    return Pipelines.load(Checkpoint.open(directory), Device.CPU, dtype);
  }

  private float[] draw(DType dtype) {
    return draw(dtype, Optional.empty());
  }

  private float[] draw(DType dtype, Optional<float[]> noise) {
    try (DiffusionPipeline pipeline = load(dtype);
        Tensor latents = Tensor.of(noise.orElseGet(() -> new float[6 * 64]), 1, 6, 64);
        Tensor image =
            pipeline.draw(List.of(REQUEST), noise.map(given -> latents), TensorProbe.NONE)) {
      return image.toFloats();
    }
  }

  private ThrowableAssertAlternative<LightmillException> refusal(ErrorCode code) {
    return assertThatExceptionOfType(LightmillException.class)
        .isThrownBy(() -> load(DType.F32).close())
        .matches(e -> e.code() == code);
  }

  private interface Change<T> {
    void to(T value) throws IOException;
  }

  private void config(String component, Change<ObjectNode> change) throws IOException {
    Path file = directory.resolve(component).resolve("config.json");
    ObjectNode config = (ObjectNode) JSON.readTree(file.toFile());
    change.to(config);
    JSON.writeValue(file.toFile(), config);
  }

  private static JsonNode tree(String json) throws IOException {
    return JSON.readTree(json);
  }

  private void change(String weights, Change<Map<String, StoredBytes>> change) throws IOException {
    Path file = directory.resolve(weights + ".safetensors");
    Map<String, StoredBytes> tensors = StoredBytes.read(file);
    change.to(tensors);
    StoredBytes.write(file, tensors);
  }

  private void rewrite(String weights, UnaryOperator<StoredBytes> each) throws IOException {
    change(weights, tensors -> tensors.replaceAll((name, tensor) -> each.apply(tensor)));
  }

  private void rename(String weights, String from, String to) throws IOException {
    Path file = directory.resolve(weights + ".safetensors");
    Map<String, StoredBytes> renamed = new TreeMap<>();
    StoredBytes.read(file).forEach((name, tensor) -> renamed.put(name.replace(from, to), tensor));
    StoredBytes.write(file, renamed);
  }

  /** Deals the tensors of a file out to three shards. */
  private void shard(String weights) throws IOException {
    Path file = directory.resolve(weights + ".safetensors");
    List<Map<String, StoredBytes>> shards = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      shards.add(new TreeMap<>());
    }
    Map<String, String> weightMap = new HashMap<>();
    String stem = file.getFileName().toString().replace(".safetensors", "");
    int at = 0;
    for (Map.Entry<String, StoredBytes> tensor : StoredBytes.read(file).entrySet()) {
      int shard = at++ % shards.size();
      shards.get(shard).put(tensor.getKey(), tensor.getValue());
      weightMap.put(tensor.getKey(), shardName(stem, shard));
    }
    for (int i = 0; i < shards.size(); i++) {
      StoredBytes.write(file.resolveSibling(shardName(stem, i)), shards.get(i));
    }
    JSON.writeValue(
        file.resolveSibling(stem + ".safetensors.index.json").toFile(),
        Map.of("metadata", Map.of("total_size", 0), "weight_map", weightMap));
    Files.delete(file);
  }

  private static String shardName(String stem, int shard) {
    return "%s-%05d-of-00003.safetensors".formatted(stem, shard + 1);
  }

  /** The numbers without the lower half of their bits. */
  private static StoredBytes truncated(StoredBytes tensor) {
    float[] values = tensor.floats();
    for (int i = 0; i < values.length; i++) {
      values[i] = Float.intBitsToFloat(Float.floatToIntBits(values[i]) & 0xffff0000);
    }
    return StoredBytes.of(values, tensor.shape().toArray(Long[]::new));
  }

  /** The upper half of the bits. */
  private static StoredBytes asBfloat16(StoredBytes tensor) {
    float[] values = tensor.floats();
    ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float value : values) {
      bytes.putShort((short) (Float.floatToIntBits(value) >>> 16));
    }
    return new StoredBytes("BF16", tensor.shape(), bytes.array());
  }
}
