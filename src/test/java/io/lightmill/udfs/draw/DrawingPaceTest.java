package io.lightmill.udfs.draw;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.BatchWork;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class DrawingPaceTest {

  private static Duration seconds(double seconds) {
    return Duration.ofMillis(Math.round(seconds * 1000));
  }

  private static BatchWork work(double encode, double denoise, double decode) {
    return new BatchWork(
        seconds(encode), seconds(denoise), seconds(decode), Duration.ZERO, 0, 0, 0);
  }

  private final DrawingPace pace = new DrawingPace();

  @Test
  void nothingIsExpectedOfTheFirstChunk() {
    assertThat(pace.begin(4)).isZero();
    assertThat(pace.goOn(4, 64)).isZero();
  }

  @Test
  void aBatchTakesAsLongAsTheSlowestSoFarForEachOfItsImages() {
    pace.drewChunk(2, seconds(8), Duration.ZERO);
    pace.drewChunk(4, seconds(8), Duration.ZERO);
    assertThat(pace.begin(1)).isEqualTo(seconds(4));
    assertThat(pace.begin(4)).isEqualTo(seconds(16));
  }

  @Test
  void oneMoreBatchOfAChunkDelaysTheDecodingOfAllItsImages() {
    pace.drew(2, work(1, 8, 1));
    pace.drew(4, work(1, 8, 1));
    pace.drewChunk(6, seconds(50), seconds(30));
    assertThat(pace.goOn(2, 20)).isEqualTo(seconds(2 * 5 + 20 * 0.5 + 30));
  }
}
