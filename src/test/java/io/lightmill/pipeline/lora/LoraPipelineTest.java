package io.lightmill.pipeline.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.Pipelines;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.TensorProbe;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.lora.DraftedLora.Rows;
import io.lightmill.pipeline.torch.DType;
import io.lightmill.pipeline.torch.Device;
import io.lightmill.pipeline.torch.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Pictures with adapters, against those of checkpoints that the adapters were folded into. */
class LoraPipelineTest {

  private static final String CLIP = "text_encoder/model.safetensors";
  private static final String T5 = "text_encoder_2/model.safetensors";

  @TempDir Path temporary;

  /** Adapters by the model that they are of, in every style of names. */
  static Stream<Arguments> adapters() {
    return Stream.of(
        Arguments.of("flux-dev", "PEFT", peft("transformer.")),
        Arguments.of("flux-dev", "PEFT without a component", peft("")),
        Arguments.of("flux-dev", "PEFT's wrapper", peft("base_model.model.")),
        Arguments.of("flux-dev", "ComfyUI", originalFlux("diffusion_model.", ".")),
        Arguments.of("flux-dev", "kohya", originalFlux("lora_unet_", "_")),
        Arguments.of("flux-dev", "text encoders", textEncoders()),
        Arguments.of("sd35", "kohya", stableDiffusion3()),
        Arguments.of("flux2-klein", "ComfyUI", flux2()),
        Arguments.of("qwenimage", "kohya", qwenImage()),
        Arguments.of("zimage", "ComfyUI", zImage()));
  }

  private static DraftedLora peft(String prefix) {
    return new DraftedLora(1)
        .peft(
            prefix + "transformer_blocks.1.attn.to_q",
            32,
            3,
            Rows.of("transformer_blocks.1.attn.to_q", 32))
        .peft(
            prefix + "transformer_blocks.0.ff.net.0.proj",
            32,
            5,
            Rows.of("transformer_blocks.0.ff.net.0.proj", 128))
        .peft(
            prefix + "time_text_embed.guidance_embedder.linear_2",
            32,
            2,
            Rows.of("time_text_embed.guidance_embedder.linear_2", 32))
        .peft(
            prefix + "single_transformer_blocks.2.proj_out",
            160,
            4,
            Rows.of("single_transformer_blocks.2.proj_out", 32));
  }

  private static DraftedLora originalFlux(String prefix, String dot) {
    String block = prefix + "double_blocks.1.".replace(".", dot);
    String single = prefix + "single_blocks.0.".replace(".", dot);
    String attention = "transformer_blocks.1.attn.";
    return new DraftedLora(2)
        .kohya(
            block + "txt_attn.qkv".replace(".", dot),
            32,
            4,
            2,
            Rows.of(attention + "add_q_proj", 32),
            Rows.of(attention + "add_k_proj", 32),
            Rows.of(attention + "add_v_proj", 32))
        .kohya(
            single + "linear1",
            32,
            3,
            3,
            Rows.of("single_transformer_blocks.0.attn.to_q", 32),
            Rows.of("single_transformer_blocks.0.attn.to_k", 32),
            Rows.of("single_transformer_blocks.0.attn.to_v", 32),
            Rows.of("single_transformer_blocks.0.proj_mlp", 128))
        .kohya(
            prefix + "final_layer.adaLN_modulation.1".replace(".", dot),
            32,
            2,
            1,
            Rows.of("norm_out.linear", 32, 32),
            Rows.of("norm_out.linear", 0, 32));
  }

  private static DraftedLora textEncoders() {
    return new DraftedLora(3)
        .kohya(
            "lora_te1_text_model_encoder_layers_0_mlp_fc1",
            24,
            2,
            1,
            new Rows(CLIP, "text_model.encoder.layers.0.mlp.fc1.weight", 0, 48))
        .peft(
            "text_encoder_2.encoder.block.1.layer.0.SelfAttention.v",
            40,
            2,
            new Rows(T5, "encoder.block.1.layer.0.SelfAttention.v.weight", 0, 40));
  }

  private static DraftedLora stableDiffusion3() {
    return new DraftedLora(4)
        .kohya(
            "lora_unet_joint_blocks_1_x_block_attn2_qkv",
            32,
            3,
            3,
            Rows.of("transformer_blocks.1.attn2.to_q", 32),
            Rows.of("transformer_blocks.1.attn2.to_k", 32),
            Rows.of("transformer_blocks.1.attn2.to_v", 32))
        .kohya(
            "lora_unet_joint_blocks_2_context_block_adaLN_modulation_1",
            32,
            3,
            6,
            Rows.of("transformer_blocks.2.norm1_context.linear", 32, 32),
            Rows.of("transformer_blocks.2.norm1_context.linear", 0, 32))
        .kohya(
            "lora_unet_joint_blocks_0_context_block_mlp_fc2",
            128,
            3,
            3,
            Rows.of("transformer_blocks.0.ff_context.net.2", 32));
  }

  private static DraftedLora flux2() {
    return new DraftedLora(5)
        .peft(
            "diffusion_model.double_blocks.0.img_attn.qkv",
            48,
            3,
            Rows.of("transformer_blocks.0.attn.to_q", 48),
            Rows.of("transformer_blocks.0.attn.to_k", 48),
            Rows.of("transformer_blocks.0.attn.to_v", 48))
        .peft(
            "diffusion_model.single_blocks.1.linear1",
            48,
            3,
            Rows.of("single_transformer_blocks.1.attn.to_qkv_mlp_proj", 432));
  }

  private static DraftedLora qwenImage() {
    return new DraftedLora(6)
        .kohya(
            "lora_unet_transformer_blocks_2_img_mlp_net_2",
            192,
            3,
            3,
            Rows.of("transformer_blocks.2.img_mlp.net.2", 48))
        .kohya(
            "lora_unet_transformer_blocks_0_txt_mod_1",
            48,
            3,
            1,
            Rows.of("transformer_blocks.0.txt_mod.1", 288));
  }

  private static DraftedLora zImage() {
    return new DraftedLora(7)
        .peft(
            "diffusion_model.layers.1.attention.qkv",
            48,
            3,
            Rows.of("layers.1.attention.to_q", 48),
            Rows.of("layers.1.attention.to_k", 48),
            Rows.of("layers.1.attention.to_v", 48))
        .peft(
            "diffusion_model.context_refiner.0.attention.out",
            48,
            3,
            Rows.of("context_refiner.0.attention.to_out.0", 48));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("adapters")
  void anAdapterDrawsWhatItDrawsFolded(String model, String style, DraftedLora lora)
      throws IOException {
    Path file = lora.save(temporary.resolve("brand.safetensors"));
    Path folded = ReferenceCheckpoint.copy(model, temporary.resolve("folded"));
    lora.fold(folded, 0.8);
    try (DiffusionPipeline base = load(ReferenceCheckpoint.of(model), Map.of("brand", file));
        DiffusionPipeline expected = load(folded, Map.of())) {
      float[] adapted = draw(base, request("brand@0.8"));
      assertThat(distance(adapted, draw(expected, request("")))).isLessThan(2e-5);
      assertThat(distance(adapted, draw(base, request("")))).isGreaterThan(1e-3);
    }
  }

  @Test
  void severalAdaptersAddUp() throws IOException {
    DraftedLora first = peft("transformer.");
    DraftedLora second = originalFlux("lora_unet_", "_");
    DraftedLora third =
        new DraftedLora(9)
            .peft(
                "transformer_blocks.1.attn.to_q",
                32,
                2,
                Rows.of("transformer_blocks.1.attn.to_q", 32));
    Map<String, Path> files =
        Map.of(
            "a", first.save(temporary.resolve("a.safetensors")),
            "b", second.save(temporary.resolve("b.safetensors")),
            "c", third.save(temporary.resolve("c.safetensors")));
    Path folded = ReferenceCheckpoint.copy("flux-dev", temporary.resolve("folded"));
    first.fold(folded, 0.5);
    second.fold(folded, -0.25);
    third.fold(folded, 2);
    try (DiffusionPipeline pipeline = load(ReferenceCheckpoint.of("flux-dev"), files);
        DiffusionPipeline expected = load(folded, Map.of())) {
      assertThat(
              distance(draw(pipeline, request("c@2+a@0.5+b@-0.25")), draw(expected, request(""))))
          .isLessThan(2e-5);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aPictureDoesNotDependOnTheAdaptersOfOthers(boolean offload) throws IOException {
    Map<String, Path> files =
        Map.of("brand", peft("transformer.").save(temporary.resolve("a.safetensors")));
    List<ImageRequest> two =
        List.of(request("brand@0.5"), request("brand@0.5", "a bowl on a table", 8));
    Path flux = ReferenceCheckpoint.of("flux-dev");
    byte[] plain;
    try (DiffusionPipeline base = load(flux, Map.of())) {
      plain = base.generate(List.of(request(""))).get(0).rgb();
    }
    try (DiffusionPipeline pipeline =
        Pipelines.load(
            Checkpoint.open(flux), Device.CPU, DType.F32, opened(flux, files), offload)) {
      List<byte[]> alone =
          two.stream().map(r -> pipeline.generate(List.of(r)).get(0).rgb()).toList();
      assertThat(pipeline.generate(List.of(request(""))).get(0).rgb()).isEqualTo(plain);
      assertThat(pipeline.generate(List.of(request("brand@0"))).get(0).rgb()).isEqualTo(plain);
      // More blends than are kept, so that the first one is loaded again.
      for (int i = 1; i < 7; i++) {
        byte[] other = pipeline.generate(List.of(request("brand@1." + i))).get(0).rgb();
        assertThat(other).isNotEqualTo(alone.get(0)).isNotEqualTo(plain);
      }
      assertThat(pipeline.generate(two).stream().map(RgbImage::rgb))
          .containsExactlyElementsOf(alone);
    }
  }

  @Test
  void alphasOfTheMetadataCount() throws IOException {
    String layer = "transformer_blocks.1.attn.to_q";
    String other = "transformer_blocks.0.attn.to_v";
    DraftedLora lora =
        new DraftedLora(4)
            .peftOfScale("transformer." + layer, 32, 4, 8 / Math.sqrt(4), Rows.of(layer, 32))
            .peftOfScale("transformer." + other, 32, 4, 2 / Math.sqrt(4), Rows.of(other, 32));
    String config =
        "{\"transformer.lora_alpha\": 8, \"transformer.use_rslora\": true,"
            + " \"transformer.alpha_pattern\": {\"0.attn.to_v\": 2}}";
    Path file =
        lora.save(
            temporary.resolve("pytorch_lora_weights.safetensors"),
            Map.of("lora_adapter_metadata", config, "format", "pt"));
    Path folded = ReferenceCheckpoint.copy("flux-dev", temporary.resolve("folded"));
    lora.fold(folded, 1);
    Map<String, Path> directory = Map.of("brand", file.getParent());
    try (DiffusionPipeline pipeline = load(ReferenceCheckpoint.of("flux-dev"), directory);
        DiffusionPipeline expected = load(folded, Map.of())) {
      assertThat(distance(draw(pipeline, request("brand")), draw(expected, request(""))))
          .isLessThan(2e-5);
    }
  }

  @Test
  void anAdapterThatWasNotDeclaredIsRefused() throws IOException {
    Map<String, Path> files =
        Map.of("brand", peft("transformer.").save(temporary.resolve("a.safetensors")));
    try (DiffusionPipeline pipeline = load(ReferenceCheckpoint.of("flux-dev"), files)) {
      assertThatExceptionOfType(LightmillException.class)
          .isThrownBy(() -> pipeline.generate(List.of(request("style@1"))))
          .withMessage(
              "lora 'style@1' names an adapter that is none of [brand]; declare it for the job")
          .matches(e -> e.code() == ErrorCode.VALUE_INVALID);
    }
  }

  private static DiffusionPipeline load(Path directory, Map<String, Path> files) {
    return Pipelines.load(
        Checkpoint.open(directory), Device.CPU, DType.F32, opened(directory, files), false);
  }

  private static Map<String, LoraAdapter> opened(Path directory, Map<String, Path> files) {
    Map<String, LoraAdapter> adapters = new HashMap<>();
    files.forEach(
        (name, file) -> adapters.put(name, Pipelines.adapter(Checkpoint.open(directory), file)));
    return adapters;
  }

  private static ImageRequest request(String lora) {
    return request(lora, "a red mug", 5);
  }

  private static ImageRequest request(String lora, String prompt, long seed) {
    return new ImageRequest(prompt, Optional.empty(), 32, 32, 2, 3.5, 1, 32, seed)
        .with(LoraBlend.parse(lora));
  }

  private static float[] draw(DiffusionPipeline pipeline, ImageRequest request) {
    try (Tensor image = pipeline.draw(List.of(request), Optional.empty(), TensorProbe.NONE)) {
      return image.toFloats();
    }
  }

  private static double distance(float[] a, float[] b) {
    assertThat(a).hasSameSizeAs(b);
    return IntStream.range(0, a.length).mapToDouble(i -> Math.abs(a[i] - b[i])).max().orElseThrow();
  }
}
