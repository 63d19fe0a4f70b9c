package io.lightmill.pipeline.stablediffusion3;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.BatchKey;
import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DrawnBatch;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ReferenceCheckpoint;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.flow.FlowPipeline;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * An image depends on its own request alone: to the last bit as users get it on a CPU, and within a
 * tolerance in the batches that GPUs draw.
 */
class StableDiffusion3BatchTest {

  /** Of values in [0, 1]. */
  private static final double TOLERANCE = 1e-5;

  private static final List<String> PROMPTS =
      List.of(
          "a red mug on a wooden table",
          "a teal chair on a grey gradient",
          "",
          "a small white book on night blue, left",
          "Vase en céramique — 日本製の湯呑み, 45 €");

  private static final Map<String, FlowPipeline> PIPELINES = new TreeMap<>();

  @BeforeAll
  static void load() {
    for (String model : List.of("sd3", "sd35")) {
      Checkpoint checkpoint = Checkpoint.open(ReferenceCheckpoint.of(model));
      PIPELINES.put(model, Families.load(checkpoint, Device.CPU, DType.F32));
    }
  }

  @AfterAll
  static void unload() {
    PIPELINES.values().forEach(FlowPipeline::close);
  }

  @ParameterizedTest
  @CsvSource({
    "sd3, 7, 48, 32",
    "sd3, 1, 48, 32",
    "sd3, 4.5, 112, 80",
    "sd3, 2, 16, 32",
    "sd35, 7, 48, 32",
    "sd35, 1, 48, 32",
    "sd35, 4.5, 112, 80",
    "sd35, 1, 16, 16"
  })
  void inEveryPlaceOfABatchItIsTheSameWithinATolerance(
      String model, double guidance, int width, int height) {
    List<ImageRequest> requests =
        IntStream.range(0, 8).mapToObj(i -> request(i, guidance, width, height)).toList();
    List<float[]> alone =
        requests.stream().map(request -> draw(model, List.of(request)).get(0)).toList();
    for (int size : new int[] {2, 3, 5, 8}) {
      for (int shift : new int[] {0, 1, size - 1}) {
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
  @CsvSource({"sd3, 7", "sd3, 1", "sd35, 7", "sd35, 1"})
  void whatUsersGetIsTheSameToTheLastBit(String model, double guidance) {
    List<ImageRequest> requests =
        IntStream.range(0, 8).mapToObj(i -> request(i, guidance, 48, 32)).toList();
    List<RgbImage> together = PIPELINES.get(model).generate(requests);
    for (int i = 0; i < requests.size(); i++) {
      assertThat(together.get(i).rgb())
          .as("request %d", i)
          .isEqualTo(PIPELINES.get(model).generate(List.of(requests.get(i))).get(0).rgb());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd3", "sd35"})
  void guidanceAndPromptsOfOneRequestLeaveAnotherAlone(String model) {
    ImageRequest mild = request(0, 1.5, 48, 48);
    ImageRequest strong = withPrompts(request(1, 9, 48, 48), "a kettle", "two oak bowls");
    List<float[]> together = draw(model, List.of(mild, strong));
    assertThat(DrawnBatch.difference(together.get(0), draw(model, List.of(mild)).get(0)))
        .isLessThan(TOLERANCE);
    assertThat(DrawnBatch.difference(together.get(1), draw(model, List.of(strong)).get(0)))
        .isLessThan(TOLERANCE);
  }

  @ParameterizedTest
  @ValueSource(strings = {"sd3", "sd35"})
  void everyPartOfARequestDecides(String model) {
    ImageRequest request = request(0, 4, 48, 48);
    List<ImageRequest> others =
        List.of(
            request,
            request(0, 5, 48, 48),
            request(5, 4, 48, 48),
            withPrompts(request, "a kettle", request.prompt()),
            withPrompts(request, request.prompt(), "a kettle"));
    List<float[]> drawn = draw(model, others);
    for (int i = 1; i < others.size(); i++) {
      assertThat(Arrays.equals(drawn.get(i), drawn.get(0))).as("request %d", i).isFalse();
    }
  }

  @Test
  void withoutANegativePromptItIsTheEmptyOne() {
    ImageRequest none = request(1, 4, 48, 48);
    ImageRequest empty = withNegative(none, Optional.of(""));
    ImageRequest given = withNegative(none, Optional.of("a mug"));
    assertThat(none.negativePrompt()).isEmpty();
    List<float[]> drawn = draw("sd3", List.of(none, empty, given));
    assertThat(Arrays.equals(drawn.get(1), drawn.get(0))).isTrue();
    assertThat(Arrays.equals(drawn.get(2), drawn.get(0))).isFalse();
  }

  @Test
  void whatIsGuidedSharesNoBatchWithWhatIsNot() {
    ClassifierFreeGuidance guidance =
        Families.limits(Checkpoint.open(ReferenceCheckpoint.of("sd3"))).guidance();
    BatchKey guided = BatchKey.of(request(1, 1.5, 48, 48), guidance);
    assertThat(BatchKey.of(request(1, 9, 48, 48), guidance)).isEqualTo(guided);
    assertThat(BatchKey.of(request(1, 1, 48, 48), guidance)).isNotEqualTo(guided);
    assertThat(BatchKey.of(request(2, 0, 48, 48), guidance).guided()).isFalse();
  }

  /** Every other request names a negative prompt. */
  private static ImageRequest request(int number, double guidance, int width, int height) {
    Optional<String> negative =
        number % 2 == 0 ? Optional.of("blurry " + number) : Optional.empty();
    return ImageRequest.builder(PROMPTS.get(number % PROMPTS.size()))
        .negativePrompt(negative.orElse(null))
        .width(width)
        .height(height)
        .numInferenceSteps(2)
        .guidanceScale(guidance)
        .trueCfgScale(1)
        .maxSequenceLength(32)
        .seed(11L * number)
        .build();
  }

  private static ImageRequest withPrompts(ImageRequest request, String second, String third) {
    return copy(request, Optional.of(second), Optional.of(third), request.negativePrompt());
  }

  private static ImageRequest withNegative(ImageRequest request, Optional<String> negative) {
    return copy(request, request.prompt2(), request.prompt3(), negative);
  }

  private static ImageRequest copy(
      ImageRequest request,
      Optional<String> second,
      Optional<String> third,
      Optional<String> negative) {
    return request.toBuilder()
        .prompt2(second.orElse(null))
        .prompt3(third.orElse(null))
        .negativePrompt(negative.orElse(null))
        .build();
  }

  private static List<float[]> draw(String model, List<ImageRequest> batch) {
    return DrawnBatch.of(PIPELINES.get(model), batch);
  }
}
