package io.lightmill.pipeline.flux;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointCopy;
import io.lightmill.pipeline.checkpoint.StoredBytes;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.flow.FlowPipeline;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Checkpoints that store the same otherwise. */
class FluxCheckpointTest {

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
  private static final List<String> WEIGHTS =
      List.of(
          "text_encoder/model",
          "text_encoder_2/model",
          "transformer/diffusion_pytorch_model",
          "vae/diffusion_pytorch_model");

  @TempDir Path temporary;
  private CheckpointCopy checkpoint;

  @BeforeEach
  void copy() throws IOException {
    checkpoint = CheckpointCopy.of("flux-dev", temporary.resolve("checkpoint"));
  }

  @Test
  void shardsDrawWhatOneFileDraws() throws IOException {
    float[] whole = draw(DType.F32);
    float[] rough = draw(DType.BF16);
    for (String weights : WEIGHTS) {
      checkpoint.shard(weights);
    }
    assertClose(draw(DType.F32), whole);
    assertThat(Arrays.equals(draw(DType.BF16), rough)).isTrue(); // converted, so aligned alike
  }

  /** Weights that were rounded to bfloat16 are the same numbers in either type of file. */
  @Test
  void sixteenBitFilesDrawWhatTheirNumbersDraw() throws IOException {
    for (String weights : WEIGHTS) {
      checkpoint.rewrite(weights, StoredBytes::truncated);
    }
    float[] wide = draw(DType.F32);
    for (String weights : WEIGHTS) {
      checkpoint.rewrite(weights, StoredBytes::asBfloat16);
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
    checkpoint.rename("text_encoder/model", "text_model.", "");
    checkpoint.rename("text_encoder_2/model", "shared.weight", "encoder.embed_tokens.weight");
    checkpoint.rename(
        "vae/diffusion_pytorch_model",
        "mid_block.attentions.0.to_q",
        "mid_block.attentions.0.query");
    checkpoint.rename(
        "vae/diffusion_pytorch_model",
        "mid_block.attentions.0.to_out.0",
        "mid_block.attentions.0.proj_attn");
    assertClose(draw(DType.F32), today);
  }

  @Test
  void whatNoNetworkAsksForIsLeftAlone() throws IOException {
    float[] plain = draw(DType.F32);
    checkpoint.change(
        "transformer/diffusion_pytorch_model",
        tensors -> tensors.put("transformer_blocks.7.odd", StoredBytes.of(new float[] {1}, 1L)));
    checkpoint.change(
        "text_encoder/model",
        tensors ->
            tensors.put(
                "text_model.embeddings.position_ids",
                new StoredBytes("I64", List.of(1L), new byte[8])));
    assertClose(draw(DType.F32), plain);
  }

  @Test
  void keysWithDefaultsMayBeAbsent() throws IOException {
    float[] complete = draw(DType.F32);
    checkpoint.config(
        "text_encoder",
        config ->
            config.remove(List.of("hidden_act", "layer_norm_eps", "max_position_embeddings")));
    checkpoint.config(
        "text_encoder_2",
        config ->
            config.remove(
                List.of(
                    "dense_act_fn",
                    "layer_norm_epsilon",
                    "relative_attention_num_buckets",
                    "relative_attention_max_distance")));
    checkpoint.config(
        "transformer", config -> config.remove(List.of("patch_size", "out_channels")));
    checkpoint.config(
        "vae",
        config -> config.remove(List.of("mid_block_add_attention", "act_fn", "out_channels")));
    assertClose(draw(DType.F32), complete);
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

  private FlowPipeline load(DType dtype) {
    return Families.load(Checkpoint.open(checkpoint.directory()), Device.CPU, dtype);
  }

  private float[] draw(DType dtype) {
    return draw(dtype, Optional.empty());
  }

  private float[] draw(DType dtype, Optional<float[]> noise) {
    try (FlowPipeline pipeline = load(dtype);
        Tensor latents = Tensor.of(noise.orElseGet(() -> new float[6 * 64]), 1, 6, 64);
        Tensor image =
            pipeline.draw(List.of(REQUEST), noise.map(given -> latents), TensorProbe.NONE)) {
      return image.toFloats();
    }
  }
}
