package io.lightmill.udfs.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.BatchKey;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.SamplingEfficiency;
import io.lightmill.pipeline.StepCaching;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ImageWorkTest {

  private static BatchKey key(boolean guided, LoraBlend lora, SamplingEfficiency efficiency) {
    return new BatchKey(1344, 768, 28, 512, guided, lora, efficiency);
  }

  @Test
  void theTextOfABatchKeyHasAllThatDecidesTheTime() {
    ImageWork plain = ImageWork.of(key(false, LoraBlend.NONE, SamplingEfficiency.NONE).toString());
    assertThat(plain).isEqualTo(new ImageWork(1344, 768, 28, 512, false, "", "none"));
    assertThat(plain.savesCalls()).isFalse();
    assertThat(plain.calls()).isEqualTo(28);
    assertThat(plain.tokens()).isEqualTo(1344 * 768 / 256 + 512);

    SamplingEfficiency cached =
        SamplingEfficiency.NONE.with(StepCaching.of(StepCaching.Method.SEA));
    ImageWork saving = ImageWork.of(key(true, LoraBlend.NONE, cached).toString());
    assertThat(saving.sampling()).isEqualTo(cached.toString());
    assertThat(saving.savesCalls()).isTrue();
    assertThat(saving.calls()).isEqualTo(56);
    assertThat(saving.withSteps(8).steps()).isEqualTo(8);
  }

  @Test
  void anotherTextIsRefused() {
    assertThatThrownBy(() -> ImageWork.of("key")).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aSampleGivesEachStratumOneAndThenItsShare() {
    assertThat(StratifiedSample.quotas(Map.of("a", 70L, "b", 20L, "c", 10L), 10))
        .containsExactlyInAnyOrderEntriesOf(Map.of("a", 7, "b", 2, "c", 1));
    assertThat(StratifiedSample.quotas(Map.of("a", 1000L, "b", 1L, "c", 1L), 4))
        .containsExactlyInAnyOrderEntriesOf(Map.of("a", 2, "b", 1, "c", 1));
  }

  @Test
  void aSampleThatIsTooSmallHasTheLargestStrata() {
    assertThat(StratifiedSample.quotas(Map.of("a", 5L, "b", 9L, "c", 7L), 2).keySet())
        .containsExactlyInAnyOrder("b", "c");
  }

  @Test
  void aSampleIsNeverLargerThanItsStrata() {
    assertThat(StratifiedSample.quotas(Map.of("a", 2L, "b", 1L), 12))
        .containsExactlyInAnyOrderEntriesOf(Map.of("a", 2, "b", 1));
  }
}
