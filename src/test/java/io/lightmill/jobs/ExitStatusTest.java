package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.report.RunSummary;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ExitStatusTest {

  @Test
  void aStoppedRunIsStoppedUnlessFailuresStoppedIt() {
    assertThat(ExitStatus.of(summary(0, 0), Optional.empty())).isZero();
    RunSummary failed = summary(2, 0);
    assertThat(ExitStatus.of(failed, Optional.empty())).isEqualTo(ExitStatus.ROWS_FAILED);
    assertThat(ExitStatus.of(failed, Optional.of(2))).isEqualTo(ExitStatus.DONE);
    assertThat(ExitStatus.of(failed, Optional.of(1))).isEqualTo(ExitStatus.ROWS_FAILED);
    RunSummary stopped = summary(2, 1);
    assertThat(ExitStatus.of(stopped, Optional.empty())).isEqualTo(ExitStatus.STOPPED);
    assertThat(ExitStatus.of(stopped, Optional.of(2))).isEqualTo(ExitStatus.STOPPED);
    assertThat(ExitStatus.of(stopped, Optional.of(1))).isEqualTo(ExitStatus.ROWS_FAILED);
  }

  @Test
  void aSchedulerRepeatsARunThatNothingIsWrongWith() {
    assertThat(ExitStatus.of(ErrorCode.STORE_UNAVAILABLE)).isEqualTo(75);
    assertThat(ExitStatus.of(ErrorCode.RUN_STOPPED)).isEqualTo(ExitStatus.STOPPED);
    assertThat(ExitStatus.of(ErrorCode.OUTPUT_IN_USE)).isEqualTo(75);
  }

  private static RunSummary summary(long failed, long pending) {
    return new RunSummary(
        Map.of(ImageStatus.GENERATED, 3L, ImageStatus.FAILED, failed, ImageStatus.PENDING, pending),
        0,
        1,
        2);
  }
}
