package io.lightmill.pipeline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Phases, settings, cancellation and closing of the pipeline that all families share. */
class FlowPipelineTest {

  @ParameterizedTest
  @ValueSource(strings = {"flux-dev", "flux2-klein", "qwenimage", "sd3", "zimage"})
  void phasesCalledOneByOneDrawWhatOneCallDraws(String model) {
    for (boolean offload : new boolean[] {false, true}) {
      try (FlowPipeline pipeline = load(model, offload)) {
        List<List<ImageRequest>> chunk =
            List.of(
                List.of(request("a red mug", 1)), List.of(request("a bowl", 2), request("", 3)));
        List<float[]> whole =
            chunk.stream().map(batch -> draw(pipeline, batch, TensorProbe.NONE)).toList();
        List<EncodedBatch> encoded =
            chunk.stream().map(batch -> pipeline.encode(batch, TensorProbe.NONE)).toList();
        List<DenoisedBatch> denoised = new ArrayList<>();
        for (EncodedBatch prompts : encoded) {
          try (prompts) {
            denoised.add(pipeline.denoise(prompts, Optional.empty(), TensorProbe.NONE));
          }
        }
        for (int i = 0; i < chunk.size(); i++) {
          try (DenoisedBatch latents = denoised.get(i);
              Tensor image = pipeline.decode(latents, TensorProbe.NONE)) {
            assertThat(image.toFloats()).isEqualTo(whole.get(i));
          }
        }
      }
    }
  }

  @Test
  void anOffloadedBatchLoadsEachNetworkOnceAndDrawsTheSameImages() {
    List<ImageRequest> batch =
        List.of(request("a red mug", 1), request("a bowl", 2), request("", 3));
    List<String> resident = new ArrayList<>();
    List<String> offloaded = new ArrayList<>();
    try (FlowPipeline pipeline = load("sd3", false);
        FlowPipeline offloading = load("sd3", true)) {
      List<RgbImage> expected =
          pipeline.generate(batch, (name, tensor) -> resident.add(phase(name)));
      List<RgbImage> images =
          offloading.generate(batch, (name, tensor) -> offloaded.add(phase(name)));

      assertThat(images)
          .usingRecursiveFieldByFieldElementComparator()
          .containsExactlyElementsOf(expected);
    }
    assertThat(offloaded).containsExactlyInAnyOrderElementsOf(resident);
    assertThat(changes(resident)).isEqualTo(3 * 3 - 1);
    assertThat(changes(offloaded)).isEqualTo(3 - 1);
  }

  /** The phase in which a probe sees a tensor. */
  private static String phase(String tensor) {
    return tensor.equals("image") || tensor.startsWith("vae")
        ? "decode"
        : tensor.matches("(latents|tr|sigmas|timesteps).*") ? "denoise" : "encode";
  }

  private static long changes(List<String> phases) {
    return IntStream.range(1, phases.size())
        .filter(i -> !phases.get(i).equals(phases.get(i - 1)))
        .count();
  }

  @Test
  void encodedPromptsServeSeveralSeeds() {
    try (FlowPipeline pipeline = load("flux-dev", false);
        EncodedBatch encoded =
            pipeline.encode(List.of(request("a red mug", 1)), TensorProbe.NONE)) {
      EncodedBatch other =
          new EncodedBatch(List.of(request("a red mug", 2)), encoded.prompts(), encoded.negative());
      try (DenoisedBatch denoised = pipeline.denoise(other, Optional.empty(), TensorProbe.NONE);
          Tensor image = pipeline.decode(denoised, TensorProbe.NONE)) {
        assertThat(image.toFloats())
            .isEqualTo(draw(pipeline, List.of(request("a red mug", 2)), TensorProbe.NONE));
      }
    }
  }

  @Test
  void anInterruptStopsBeforeTheNextStep() {
    List<String> seen = new ArrayList<>();
    TensorProbe interrupting =
        (name, tensor) -> {
          seen.add(name);
          if (name.equals("latents.0")) {
            Thread.currentThread().interrupt();
          }
        };
    try (FlowPipeline pipeline = load("flux-dev", false)) {
      List<ImageRequest> batch = List.of(request("a red mug", 1));
      assertThatExceptionOfType(CancellationException.class)
          .isThrownBy(() -> draw(pipeline, batch, interrupting))
          .withMessage("the thread was interrupted before step 2 of 3");
      assertThat(seen).contains("latents.0").doesNotContain("latents.1", "image");
      assertThatExceptionOfType(CancellationException.class)
          .isThrownBy(() -> pipeline.generate(batch));
      assertThat(Thread.interrupted()).isTrue();
      assertThat(pipeline.generate(batch)).hasSize(1);
    }
  }

  @Test
  void otherSettingsShareTheWeightsAndLeaveThePipelineAsItIs() {
    List<ImageRequest> batch = List.of(request("a red mug", 1));
    ComponentConfig base =
        new ComponentConfig(
            Path.of("settings"), JsonNodeFactory.instance.objectNode().put("is_distilled", false));
    try (FlowPipeline distilled = load("flux2-klein", false)) {
      float[] before = draw(distilled, batch, TensorProbe.NONE);
      try (FlowPipeline guided = distilled.with(base)) {
        assertThat(draw(guided, batch, TensorProbe.NONE)).isNotEqualTo(before);
      }
      assertThat(draw(distilled, batch, TensorProbe.NONE)).isEqualTo(before);
    }
  }

  @Test
  void latentsOfAnotherShapeAreRefused() {
    try (FlowPipeline pipeline = load("sd3", false);
        Tensor latents = Tensor.of(new float[4], 1, 1, 2, 2)) {
      assertThatExceptionOfType(LightmillException.class)
          .isThrownBy(
              () ->
                  pipeline.draw(
                      List.of(request("a red mug", 1)), Optional.of(latents), TensorProbe.NONE))
          .withMessageStartingWith("the latents have the shape [1, 1, 2, 2], but this batch")
          .matches(e -> e.code() == ErrorCode.INPUT_INVALID);
    }
  }

  /** The thread that draws goes on with the weights; they are freed when it ends. */
  @Test
  void closingWaitsForTheDrawingThatUsesTheWeights() {
    List<ImageRequest> batch = List.of(request("a red mug", 1));
    FlowPipeline pipeline = load("flux-dev", false);
    float[] expected = draw(pipeline, batch, TensorProbe.NONE);
    TensorProbe closing =
        (name, tensor) -> {
          if (name.equals("latents.0")) {
            pipeline.close();
          }
        };
    assertThat(draw(pipeline, batch, closing)).isEqualTo(expected);
    assertThatIllegalStateException().isThrownBy(() -> pipeline.generate(batch));
    pipeline.close();
  }

  private static FlowPipeline load(String model, boolean offload) {
    return Families.load(
        Checkpoint.open(ReferenceCheckpoint.of(model)), Device.CPU, DType.F32, Map.of(), offload);
  }

  private static ImageRequest request(String prompt, long seed) {
    return ImageRequest.builder(prompt)
        .negativePrompt("blurry")
        .width(32)
        .height(32)
        .numInferenceSteps(3)
        .guidanceScale(3.5)
        .trueCfgScale(2)
        .maxSequenceLength(32)
        .seed(seed)
        .build();
  }

  private static float[] draw(FlowPipeline pipeline, List<ImageRequest> batch, TensorProbe probe) {
    try (Tensor image = pipeline.draw(batch, Optional.empty(), probe)) {
      return image.toFloats();
    }
  }
}
