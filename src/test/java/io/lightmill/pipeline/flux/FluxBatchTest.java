package io.lightmill.pipeline.flux;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DrawnBatch;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.flow.FlowPipeline;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An image depends on its own request alone: to the last bit as users get it on a CPU, and within a
 * tolerance in the batches that GPUs draw.
 */
class FluxBatchTest {

  /** Of values in [0, 1]. */
  private static final double TOLERANCE = 1e-5;

  private static final List<String> PROMPTS =
      List.of(
          "a red mug on a wooden table",
          "a teal chair on a grey gradient",
          "",
          "a small white book on night blue, left",
          "Vase en céramique — 日本製の湯呑み, 45 €");

  @TempDir static Path cache;
  private static final Map<String, FlowPipeline> PIPELINES = new TreeMap<>();

  @BeforeAll
  static void load() {
    Path pocket = new CheckpointCache(cache).localize(CheckpointCache.BUILTIN_POCKET);
    load("pocket", pocket);
    load("flux-schnell", ReferenceCheckpoint.of("flux-schnell"));
    load("flux-dev", ReferenceCheckpoint.of("flux-dev"));
  }

  private static void load(String name, Path directory) {
    PIPELINES.put(name, Families.load(Checkpoint.open(directory), Device.CPU, DType.F32));
  }

  @AfterAll
  static void unload() {
    PIPELINES.values().forEach(FlowPipeline::close);
  }

  @ParameterizedTest
  @CsvSource({
    "pocket, false",
    "pocket, true",
    "flux-schnell, false",
    "flux-schnell, true",
    "flux-dev, false",
    "flux-dev, true"
  })
  void inEveryPlaceOfABatchItIsTheSameWithinATolerance(String model, boolean trueCfg) {
    List<ImageRequest> requests = requests(8, trueCfg);
    List<float[]> alone =
        requests.stream().map(request -> draw(model, List.of(request)).get(0)).toList();
    for (int size : new int[] {2, 3, 5, 8}) {
      for (int shift = 0; shift < size; shift++) {
        List<ImageRequest> batch = new ArrayList<>(requests.subList(0, size));
        Collections.rotate(batch, shift);
        List<float[]> together = draw(model, batch);
        for (int i = 0; i < size; i++) {
          int request = Math.floorMod(i - shift, size);
          assertThat(DrawnBatch.difference(together.get(i), alone.get(request)))
              .as("request %d at place %d of %d", request, i, size)
              .isLessThan(TOLERANCE);
        }
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"pocket, false", "pocket, true", "flux-dev, false", "flux-dev, true"})
  void whatUsersGetIsTheSameToTheLastBit(String model, boolean trueCfg) {
    List<ImageRequest> requests = requests(8, trueCfg);
    List<RgbImage> together = PIPELINES.get(model).generate(requests);
    for (int i = 0; i < requests.size(); i++) {
      assertThat(together.get(i).rgb())
          .as("request %d", i)
          .isEqualTo(PIPELINES.get(model).generate(List.of(requests.get(i))).get(0).rgb());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pocket", "flux-schnell", "flux-dev"})
  void aSecondRunDrawsTheSameAndAnotherSeedAnother(String model) {
    List<ImageRequest> batch = requests(3, false);
    List<RgbImage> first = PIPELINES.get(model).generate(batch);
    List<RgbImage> second = PIPELINES.get(model).generate(batch);
    for (int i = 0; i < batch.size(); i++) {
      assertThat(second.get(i).rgb()).isEqualTo(first.get(i).rgb());
    }
    List<ImageRequest> twins =
        List.of(request(PROMPTS.get(0), 1, false), request(PROMPTS.get(0), 2, false));
    List<float[]> drawn = draw(model, twins);
    assertThat(Arrays.equals(drawn.get(0), drawn.get(1))).isFalse();
  }

  /** Guards the generators: one that is shared by all callers draws another's noise. */
  @ParameterizedTest
  @ValueSource(strings = {"pocket", "flux-schnell", "flux-dev"})
  void threadsThatDrawAtOnceDoNotMeet(String model) throws Exception {
    List<List<ImageRequest>> batches =
        List.of(requests(2, false), requests(8, true).subList(4, 7), requests(5, false));
    List<List<float[]>> expected = batches.stream().map(batch -> draw(model, batch)).toList();
    CyclicBarrier start = new CyclicBarrier(batches.size());
    ExecutorService threads = Executors.newFixedThreadPool(batches.size());
    try {
      List<Callable<List<float[]>>> drawings = new ArrayList<>();
      for (List<ImageRequest> batch : batches) {
        drawings.add(
            () -> {
              start.await();
              return draw(model, batch);
            });
      }
      for (int round = 0; round < 3; round++) {
        List<Future<List<float[]>>> drawn = threads.invokeAll(drawings);
        for (int i = 0; i < batches.size(); i++) {
          List<float[]> pictures = drawn.get(i).get();
          for (int j = 0; j < pictures.size(); j++) {
            assertThat(Arrays.equals(pictures.get(j), expected.get(i).get(j)))
                .as("round %d, batch %d, picture %d", round, i, j)
                .isTrue();
          }
        }
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void guidanceOfOneRequestLeavesAnotherAlone() {
    ImageRequest mild = withGuidance(request(PROMPTS.get(0), 3, true), 1.5, 2);
    ImageRequest strong = withGuidance(request(PROMPTS.get(1), 4, true), 6, 7);
    List<float[]> together = draw("flux-dev", List.of(mild, strong));
    assertThat(DrawnBatch.difference(together.get(0), draw("flux-dev", List.of(mild)).get(0)))
        .isLessThan(TOLERANCE);
    assertThat(DrawnBatch.difference(together.get(1), draw("flux-dev", List.of(strong)).get(0)))
        .isLessThan(TOLERANCE);
  }

  private static List<ImageRequest> requests(int count, boolean trueCfg) {
    return IntStream.range(0, count)
        .mapToObj(i -> request(PROMPTS.get(i % PROMPTS.size()), 11L * i, trueCfg))
        .toList();
  }

  private static ImageRequest request(String prompt, long seed, boolean trueCfg) {
    Optional<String> negative = trueCfg ? Optional.of("blurry " + seed) : Optional.empty();
    return ImageRequest.builder(prompt)
        .negativePrompt(negative.orElse(null))
        .width(48)
        .height(32)
        .numInferenceSteps(2)
        .guidanceScale(3.5)
        .trueCfgScale(trueCfg ? 2.5 : 1)
        .maxSequenceLength(32)
        .seed(seed)
        .build();
  }

  private static ImageRequest withGuidance(ImageRequest request, double embedded, double trueCfg) {
    return request.toBuilder().guidanceScale(embedded).trueCfgScale(trueCfg).build();
  }

  private static List<float[]> draw(String model, List<ImageRequest> batch) {
    return DrawnBatch.of(PIPELINES.get(model), batch);
  }
}
