package io.lightmill.pipeline.flow;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.BatchResult;
import io.lightmill.pipeline.BatchWork;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.families.Families;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Chunks of batches, whose networks stay on the device or take turns on it. */
class ChunkDrawingTest {

  @ParameterizedTest
  @ValueSource(strings = {"flux-dev", "flux2-klein", "qwenimage", "sd3", "zimage"})
  void aChunkLoadsEachNetworkOnceAndDrawsWhatResidentNetworksDraw(String model) {
    List<List<ImageRequest>> chunk = singles("a red mug", "a bowl", "", "a bowl");
    try (FlowPipeline resident = load(model, false);
        FlowPipeline offloaded = load(model, true)) {
      List<RgbImage> expected =
          resident.generate(chunk.stream().map(batch -> batch.get(0)).toList());

      List<BatchResult> drawn = offloaded.drawChunk(chunk, () -> true);

      assertThat(images(drawn))
          .usingRecursiveFieldByFieldElementComparator()
          .containsExactlyElementsOf(expected);
      long whole = bytes(drawn);
      assertThat(whole).isPositive();
      // Prompts are known by now, so only transformer and autoencoder are loaded.
      long again = bytes(offloaded.drawChunk(chunk, () -> true));
      assertThat(again).isPositive().isLessThan(whole);
      assertThat(bytes(offloaded.drawChunk(chunk.subList(0, 1), () -> true))).isEqualTo(again);
      assertThat(bytes(resident.drawChunk(chunk, () -> true))).isZero();
    }
  }

  @Test
  void workIsToldByPhaseAndByPrompt() {
    List<List<ImageRequest>> chunk = singles("a red mug", "a red mug");
    try (FlowPipeline pipeline = load("flux-dev", true)) {
      List<BatchResult> drawn = pipeline.drawChunk(chunk, () -> true);

      assertThat(drawn)
          .extracting(BatchResult::work)
          .allSatisfy(
              work -> {
                assertThat(work.encode()).isPositive();
                assertThat(work.denoise()).isPositive();
                assertThat(work.decode()).isPositive();
                assertThat(work.load()).isPositive();
                assertThat(work.prompts()).isEqualTo(2); // and the negative prompt
                assertThat(work.total()).isEqualTo(work.phases().plus(work.load()));
              })
          .extracting(BatchWork::cachedPrompts)
          .containsExactly(0, 2);
      assertThat(drawn.get(0).work().loadedBytes()).isEqualTo(drawn.get(1).work().loadedBytes());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aChunkThatIsToEndFinishesWhatHasBegun(boolean offload) {
    List<List<ImageRequest>> chunk = singles("a red mug", "a bowl", "a vase");
    // With offloading asked before each phase of each batch: here, at the third batch's denoising.
    Iterator<Boolean> answers =
        offload ? List.of(true, true, true, false).iterator() : List.of(true, false).iterator();
    try (FlowPipeline pipeline = load("sd3", offload)) {
      List<BatchResult> drawn = pipeline.drawChunk(chunk, answers::next);

      assertThat(drawn).extracting(BatchResult::isLeftOut).containsExactly(false, false, true);
      assertThat(images(drawn))
          .usingRecursiveFieldByFieldElementComparator()
          .containsExactlyElementsOf(images(pipeline.drawChunk(chunk.subList(0, 2), () -> true)));
      assertThat(answers.hasNext()).isFalse();
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aBatchThatFailsLeavesTheOthersAsTheyAre(boolean offload) {
    List<List<ImageRequest>> chunk = new ArrayList<>(singles("a red mug", "a bowl", "a vase"));
    // As many latents as no memory has room for.
    chunk.set(1, List.of(request("a bowl", 1).toBuilder().width(1 << 30).height(1 << 30).build()));
    try (FlowPipeline pipeline = load("flux-dev", offload)) {
      List<BatchResult> drawn = pipeline.drawChunk(chunk, () -> true);

      assertThat(drawn.get(1).failure()).isPresent();
      assertThat(images(List.of(drawn.get(0), drawn.get(2))))
          .usingRecursiveFieldByFieldElementComparator()
          .containsExactlyElementsOf(
              images(pipeline.drawChunk(List.of(chunk.get(0), chunk.get(2)), () -> true)));
      assertThatThrownBy(() -> pipeline.generate(chunk.get(1)))
          .hasMessage(drawn.get(1).failure().orElseThrow().getMessage());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void anInterruptIsNoFailureOfABatch(boolean offload) {
    try (FlowPipeline pipeline = load("flux-dev", offload)) {
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> pipeline.drawChunk(singles("a", "b"), () -> true))
          .isInstanceOf(CancellationException.class);
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void onACpuABatchOfAChunkIsDrawnImageByImage() {
    List<ImageRequest> batch = List.of(request("a red mug", 1), request("a bowl", 2));
    try (FlowPipeline pipeline = load("sd3", true)) {
      List<BatchResult> together = pipeline.drawChunk(List.of(batch), () -> true);

      assertThat(together).hasSize(1);
      assertThat(images(together))
          .usingRecursiveFieldByFieldElementComparator()
          .containsExactlyElementsOf(
              images(pipeline.drawChunk(batch.stream().map(List::of).toList(), () -> true)));
      assertThat(together.get(0).work().denoise()).isGreaterThan(Duration.ZERO);
    }
  }

  private static List<RgbImage> images(List<BatchResult> results) {
    return results.stream()
        .flatMap(result -> result.orElseThrow().stream())
        .map(image -> image.orElseThrow())
        .toList();
  }

  private static long bytes(List<BatchResult> results) {
    return results.stream().mapToLong(result -> result.work().loadedBytes()).sum();
  }

  private static FlowPipeline load(String model, boolean offload) {
    return Families.load(
        Checkpoint.open(ReferenceCheckpoint.of(model)), Device.CPU, DType.F32, Map.of(), offload);
  }

  private static List<List<ImageRequest>> singles(String... prompts) {
    List<List<ImageRequest>> batches = new ArrayList<>();
    for (String prompt : prompts) {
      batches.add(List.of(request(prompt, batches.size())));
    }
    return batches;
  }

  static ImageRequest request(String prompt, long seed) {
    return ImageRequest.builder(prompt)
        .negativePrompt("blurry")
        .width(32)
        .height(32)
        .numInferenceSteps(2)
        .guidanceScale(3.5)
        .trueCfgScale(2)
        .maxSequenceLength(32)
        .seed(seed)
        .build();
  }
}
