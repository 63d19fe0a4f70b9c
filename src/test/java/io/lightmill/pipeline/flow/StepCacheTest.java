package io.lightmill.pipeline.flow;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DrawnBatch;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Step caches and guidance with fewer transformer calls, with the networks of every family. */
class StepCacheTest {

  /** Of values in [0, 1]. */
  private static final double TOLERANCE = 1e-5;

  private static final int STEPS = 6;
  private static final List<String> PROMPTS = List.of("a red mug", "", "a teal chair, left", "日本製");

  private static final Map<String, FlowPipeline> PIPELINES = new TreeMap<>();

  @AfterAll
  static void close() {
    PIPELINES.values().forEach(FlowPipeline::close);
    PIPELINES.clear();
  }

  private record Drawn(List<float[]> images, List<Integer> calls) {}

  @ParameterizedTest
  @ValueSource(strings = {"flux-dev", "flux2-klein", "qwenimage", "sd3", "zimage"})
  void aCacheThatNeverReusesChangesNothing(String model) {
    List<ImageRequest> batch = requests("none");
    Drawn expected = draw(model, batch);
    int sides = sides(model);
    assertThat(expected.calls()).containsOnly(sides * STEPS);
    for (String cache : List.of("sea@0", "first-block@0", "mask@1")) {
      Drawn alone = draw(model, List.of(requests(cache).get(0)));
      assertThat(alone.images().get(0))
          .as(cache)
          .isEqualTo(draw(model, List.of(batch.get(0))).images().get(0));
      assertThat(alone.calls()).as(cache).containsOnly(sides * STEPS);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"flux-dev", "flux2-klein", "qwenimage", "sd3", "zimage"})
  void aCacheThatAlwaysReusesComputesTheFirstAndTheLastStep(String model) {
    Drawn exact = draw(model, requests("none"));
    for (String cache : List.of("sea@1e9", "first-block@1e9", "mask@0")) {
      Drawn drawn = draw(model, requests(cache));
      assertThat(drawn.calls()).as(cache).containsOnly(2 * sides(model));
      for (int i = 0; i < drawn.images().size(); i++) {
        assertThat(DrawnBatch.difference(drawn.images().get(i), exact.images().get(i)))
            .as("%s, image %d", cache, i)
            .isBetween(TOLERANCE, 1.0);
      }
    }
  }

  /** The rows of these batches reuse different steps. */
  @ParameterizedTest
  @CsvSource({
    "flux-dev, sea", "flux-dev, first-block",
    "flux2-klein, sea", "flux2-klein, first-block",
    "qwenimage, sea", "qwenimage, first-block",
    "sd3, sea", "sd3, first-block",
    "zimage, sea", "zimage, first-block"
  })
  void anImageDoesNotDependOnWhatItsBatchMatesReuse(String model, String cache) {
    String sampling = whereRowsDiffer(model, cache);
    List<ImageRequest> batch = requests(sampling);
    Drawn together = draw(model, batch);
    assertThat(new HashSet<>(together.calls())).as(sampling).hasSizeGreaterThan(1);
    for (int i = 0; i < batch.size(); i++) {
      Drawn alone = draw(model, List.of(batch.get(i)));
      assertThat(together.calls().get(i))
          .as("%s, image %d", sampling, i)
          .isEqualTo(alone.calls().get(0));
      assertThat(DrawnBatch.difference(together.images().get(i), alone.images().get(0)))
          .as("%s, image %d", sampling, i)
          .isLessThan(TOLERANCE);
    }
    assertWhatUsersGetIsTheSameToTheLastBit(model, batch, together.calls());
  }

  private static void assertWhatUsersGetIsTheSameToTheLastBit(
      String model, List<ImageRequest> batch, List<Integer> calls) {
    List<ImageResult> results = pipeline(model).results(batch);
    for (int i = 0; i < batch.size(); i++) {
      ImageResult alone = pipeline(model).results(List.of(batch.get(i))).get(0);
      assertThat(results.get(i).orElseThrow().rgb()).isEqualTo(alone.orElseThrow().rgb());
      assertThat(results.get(i).facts().transformerCalls()).hasValue(calls.get(i));
    }
  }

  /** Looks for a threshold at which the images of a batch take different numbers of calls. */
  private static String whereRowsDiffer(String model, String cache) {
    double low = 0;
    double high = 8;
    int most = Math.toIntExact((long) sides(model) * STEPS);
    for (int i = 0; i < 40; i++) {
      double middle = (low + high) / 2;
      String sampling = cache + "@" + middle;
      List<Integer> calls = draw(model, requests(sampling)).calls();
      if (new HashSet<>(calls).size() > 1) {
        return sampling;
      }
      if (calls.get(0) > most * 2 / 3) {
        low = middle;
      } else {
        high = middle;
      }
    }
    throw new AssertionError("all images take the same steps at every threshold");
  }

  @ParameterizedTest
  @CsvSource({
    "flux-dev, guidance@0-0.5, 9",
    "flux-dev, guidance@0.5-1, 9",
    "flux-dev, guidance-cache@0.5, 9",
    "flux-dev, guidance-cache@0, 7",
    "flux-dev, guidance@0.5-1+guidance-cache@0, 7",
    "flux-dev, mask@101010+guidance-cache@0.5, 6",
    "qwenimage, guidance-cache@0.5, 9",
    "sd3, guidance-cache@0.5, 9",
    "sd3, guidance@0-0.5, 9",
    "sd3, sea@0+guidance-cache@0.5, 9",
    "zimage, guidance-cache@0.5, 9",
    "flux-dev, joint-guidance, 12",
    "qwenimage, joint-guidance+sea@0, 12",
    "zimage, joint-guidance, 12",
    "flux-dev, joint-guidance+guidance-cache@0.5, 9",
  })
  void guidanceSavesCallsOfTheNegativePrompt(String model, String sampling, int calls) {
    List<ImageRequest> batch = requests(sampling);
    Drawn drawn = draw(model, batch);
    assertThat(drawn.calls()).containsOnly(calls);
    double change =
        DrawnBatch.difference(drawn.images().get(0), draw(model, requests("none")).images().get(0));
    if (calls == 2 * STEPS) {
      assertThat(change).isLessThan(TOLERANCE);
    } else {
      assertThat(change).isBetween(TOLERANCE, 1.0);
    }
    assertThat(
            DrawnBatch.difference(
                drawn.images().get(1), draw(model, List.of(batch.get(1))).images().get(0)))
        .isLessThan(TOLERANCE);
  }

  /** A naive Fourier transform in 64 bits, by the formulas of the paper. */
  @ParameterizedTest
  @CsvSource({"4, 6, 0.3", "5, 3, 0.9", "2, 8, 1.0", "3, 4, 0.0"})
  void theFilterIsThatOfThePaper(int rows, int columns, double sigma) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (i * 29 % 17 - 8) / 4f;
    }
    try (Tensor tokens = Tensor.of(values, 1, (long) rows * columns, 1);
        Tensor filtered =
            ScriptModule.of("step_cache", "StepCache")
                .tensor("filter", tokens, rows, columns, sigma)) {
      assertThat(DrawnBatch.difference(filtered.toFloats(), filtered(values, rows, columns, sigma)))
          .isLessThan(2e-5);
    }
  }

  private static float[] filtered(float[] values, int rows, int columns, double sigma) {
    double[][] gain = new double[rows][columns];
    double mean = 0;
    for (int u = 0; u < rows; u++) {
      for (int v = 0; v < columns; v++) {
        gain[u][v] = gain(u, rows, sigma) * gain(v, columns, sigma);
        mean += gain[u][v] / (rows * columns);
      }
    }
    float[] filtered = new float[values.length];
    for (int y = 0; y < rows; y++) {
      for (int x = 0; x < columns; x++) {
        double sum = 0;
        for (int b = 0; b < rows; b++) {
          for (int a = 0; a < columns; a++) {
            for (int u = 0; u < rows; u++) {
              for (int v = 0; v < columns; v++) {
                double turn = (double) u * (y - b) / rows + (double) v * (x - a) / columns;
                sum += values[b * columns + a] * gain[u][v] / mean * Math.cos(2 * Math.PI * turn);
              }
            }
          }
        }
        filtered[y * columns + x] = (float) (sum / (rows * columns));
      }
    }
    return filtered;
  }

  private static double gain(int index, int size, double sigma) {
    double frequency = (2 * index >= size ? index - size : index) / (double) size;
    double power = 1 / (frequency * frequency + 1e-16);
    double signal = Math.max(1 - sigma, 1e-6);
    double noise = Math.max(sigma, 1e-6);
    return signal * power / (signal * signal * power + noise * noise + 1e-16);
  }

  @Test
  void aChangeIsRelativeAndByRow() {
    try (Tensor before = Tensor.of(new float[] {1, -3, 2, 2}, 2, 2, 1);
        Tensor now = Tensor.of(new float[] {2, -4, 2, 2}, 2, 2, 1);
        Tensor change = ScriptModule.of("step_cache", "StepCache").tensor("change", now, before)) {
      assertThat(change.toFloats()).containsExactly(0.5f, 0);
    }
  }

  private static int sides(String model) {
    return pipelineGuides(model) ? 2 : 1;
  }

  /** The reference checkpoint of FLUX.2 is distilled. */
  private static boolean pipelineGuides(String model) {
    return !model.equals("flux2-klein");
  }

  private static FlowPipeline pipeline(String model) {
    return PIPELINES.computeIfAbsent(
        model,
        name ->
            Families.load(Checkpoint.open(ReferenceCheckpoint.of(name)), Device.CPU, DType.F32));
  }

  private static List<ImageRequest> requests(String sampling) {
    SamplingEfficiency efficiency = SamplingEfficiency.parse(sampling);
    return IntStream.range(0, PROMPTS.size())
        .mapToObj(
            i ->
                ImageRequest.builder(PROMPTS.get(i))
                    .negativePrompt("blurry")
                    .width(48)
                    .height(32)
                    .numInferenceSteps(STEPS)
                    .guidanceScale(3.5)
                    .trueCfgScale(2.5)
                    .maxSequenceLength(32)
                    .seed(17L * i)
                    .efficiency(efficiency)
                    .build())
        .toList();
  }

  /** Draws the requests as one batch. */
  private static Drawn draw(String model, List<ImageRequest> batch) {
    FlowPipeline pipeline = pipeline(model);
    try (EncodedBatch encoded = pipeline.encode(batch, TensorProbe.NONE);
        DenoisedBatch denoised = pipeline.denoise(encoded, Optional.empty(), TensorProbe.NONE);
        Tensor image = pipeline.decode(denoised, TensorProbe.NONE)) {
      float[] all = image.toFloats();
      int each = all.length / batch.size();
      List<float[]> images = new ArrayList<>();
      for (int i = 0; i < batch.size(); i++) {
        images.add(Arrays.copyOfRange(all, i * each, (i + 1) * each));
      }
      return new Drawn(images, denoised.transformerCalls());
    }
  }
}
