package io.lightmill.pipeline.lora;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.flow.FlowPipeline;
import io.lightmill.pipeline.lora.DraftedLora.Rows;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
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

  @TempDir Path temporary;

  /** Adapters by the model that they are of, in every style of names. */
  static Stream<Arguments> adapters() {
    return Stream.of(
        Arguments.of("flux-dev", "PEFT", StyledLoras.peft("transformer.")),
        Arguments.of("flux-dev", "PEFT without a component", StyledLoras.peft("")),
        Arguments.of("flux-dev", "PEFT's wrapper", StyledLoras.peft("base_model.model.")),
        Arguments.of("flux-dev", "ComfyUI", StyledLoras.originalFlux("diffusion_model.", ".")),
        Arguments.of("flux-dev", "kohya", StyledLoras.originalFlux("lora_unet_", "_")),
        Arguments.of("flux-dev", "text encoders", StyledLoras.textEncoders()),
        Arguments.of("sd35", "kohya", StyledLoras.stableDiffusion3()),
        Arguments.of("flux2-klein", "ComfyUI", StyledLoras.flux2()),
        Arguments.of("qwenimage", "kohya", StyledLoras.qwenImage()),
        Arguments.of("zimage", "ComfyUI", StyledLoras.zImage()));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("adapters")
  void anAdapterDrawsWhatItDrawsFolded(String model, String style, DraftedLora lora)
      throws IOException {
    Path file = lora.save(temporary.resolve("brand.safetensors"));
    Path folded = ReferenceCheckpoint.copy(model, temporary.resolve("folded"));
    lora.fold(folded, 0.8);
    try (FlowPipeline base = load(ReferenceCheckpoint.of(model), Map.of("brand", file));
        FlowPipeline expected = load(folded, Map.of())) {
      float[] adapted = draw(base, request("brand@0.8"));
      assertThat(distance(adapted, draw(expected, request("")))).isLessThan(2e-5);
      assertThat(distance(adapted, draw(base, request("")))).isGreaterThan(1e-3);
    }
  }

  @Test
  void severalAdaptersAddUp() throws IOException {
    DraftedLora first = StyledLoras.peft("transformer.");
    DraftedLora second = StyledLoras.originalFlux("lora_unet_", "_");
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
    try (FlowPipeline pipeline = load(ReferenceCheckpoint.of("flux-dev"), files);
        FlowPipeline expected = load(folded, Map.of())) {
      assertThat(
              distance(draw(pipeline, request("c@2+a@0.5+b@-0.25")), draw(expected, request(""))))
          .isLessThan(2e-5);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aPictureDoesNotDependOnTheAdaptersOfOthers(boolean offload) throws IOException {
    Map<String, Path> files =
        Map.of("brand", StyledLoras.peft("transformer.").save(temporary.resolve("a.safetensors")));
    List<ImageRequest> two =
        List.of(request("brand@0.5"), request("brand@0.5", "a bowl on a table", 8));
    Path flux = ReferenceCheckpoint.of("flux-dev");
    byte[] plain;
    try (FlowPipeline base = load(flux, Map.of())) {
      plain = base.generate(List.of(request(""))).get(0).rgb();
    }
    try (FlowPipeline pipeline =
        Families.load(Checkpoint.open(flux), Device.CPU, DType.F32, opened(flux, files), offload)) {
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

  /** One drawing waits in the middle of its steps until six others have evicted its blend. */
  @Test
  void drawingsWithOtherAdaptersRunAtOnceAndDoNotFreeItsWeights() throws Exception {
    Map<String, Path> files =
        Map.of("brand", StyledLoras.peft("transformer.").save(temporary.resolve("a.safetensors")));
    try (FlowPipeline pipeline = load(ReferenceCheckpoint.of("flux-dev"), files)) {
      float[] expected = draw(pipeline, request("brand@0.5"));
      CountDownLatch inTheMiddle = new CountDownLatch(1);
      CountDownLatch othersAreDone = new CountDownLatch(1);
      TensorProbe waiting =
          (name, tensor) -> {
            if (name.equals("latents.0")) {
              inTheMiddle.countDown();
              await(othersAreDone);
            }
          };
      ExecutorService thread = Executors.newSingleThreadExecutor();
      try {
        Future<float[]> drawn = thread.submit(() -> draw(pipeline, request("brand@0.5"), waiting));
        await(inTheMiddle);
        for (int i = 1; i < 7; i++) {
          assertThat(draw(pipeline, request("brand@1." + i))).isNotEqualTo(expected);
        }
        othersAreDone.countDown();
        assertThat(drawn.get(1, TimeUnit.MINUTES)).isEqualTo(expected);
      } finally {
        thread.shutdownNow();
      }
      assertThat(draw(pipeline, request("brand@0.5"))).isEqualTo(expected);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(1, TimeUnit.MINUTES)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
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
    try (FlowPipeline pipeline = load(ReferenceCheckpoint.of("flux-dev"), directory);
        FlowPipeline expected = load(folded, Map.of())) {
      assertThat(distance(draw(pipeline, request("brand")), draw(expected, request(""))))
          .isLessThan(2e-5);
    }
  }

  @Test
  void anAdapterThatWasNotDeclaredIsRefused() throws IOException {
    Map<String, Path> files =
        Map.of("brand", StyledLoras.peft("transformer.").save(temporary.resolve("a.safetensors")));
    try (FlowPipeline pipeline = load(ReferenceCheckpoint.of("flux-dev"), files)) {
      assertThatExceptionOfType(LightmillException.class)
          .isThrownBy(() -> pipeline.generate(List.of(request("style@1"))))
          .withMessage(
              "lora 'style@1' names an adapter that is none of [brand]; declare it for the job")
          .matches(e -> e.code() == ErrorCode.VALUE_INVALID);
    }
  }

  private static FlowPipeline load(Path directory, Map<String, Path> files) {
    return Families.load(
        Checkpoint.open(directory), Device.CPU, DType.F32, opened(directory, files), false);
  }

  private static Map<String, LoraAdapter> opened(Path directory, Map<String, Path> files) {
    Map<String, LoraAdapter> adapters = new HashMap<>();
    files.forEach(
        (name, file) -> adapters.put(name, Families.adapter(Checkpoint.open(directory), file)));
    return adapters;
  }

  private static ImageRequest request(String lora) {
    return request(lora, "a red mug", 5);
  }

  private static ImageRequest request(String lora, String prompt, long seed) {
    return ImageRequest.builder(prompt)
        .width(32)
        .height(32)
        .numInferenceSteps(2)
        .guidanceScale(3.5)
        .trueCfgScale(1)
        .maxSequenceLength(32)
        .seed(seed)
        .lora(LoraBlend.parse(lora))
        .build();
  }

  private static float[] draw(FlowPipeline pipeline, ImageRequest request) {
    return draw(pipeline, request, TensorProbe.NONE);
  }

  private static float[] draw(FlowPipeline pipeline, ImageRequest request, TensorProbe probe) {
    try (Tensor image = pipeline.draw(List.of(request), Optional.empty(), probe)) {
      return image.toFloats();
    }
  }

  private static double distance(float[] a, float[] b) {
    assertThat(a).hasSameSizeAs(b);
    return IntStream.range(0, a.length).mapToDouble(i -> Math.abs(a[i] - b[i])).max().orElseThrow();
  }
}
