package io.lightmill.udfs.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class RunAttemptTest {

  @Test
  void theFirstAttemptHasTheIdOfItsRun() {
    assertThat(RunAttempt.next("nightly", List.of()).name()).isEqualTo("nightly");
    assertThat(RunAttempt.of("nightly")).isEqualTo(new RunAttempt("nightly", 1));
  }

  @Test
  void furtherAttemptsAreNumberedAfterTheCommittedOnes() {
    List<String> committed =
        List.of(
            "manifest/run_id=nightly",
            "manifest/run_id=nightly.attempt-9",
            "manifest/nightly.attempt-10.parquet",
            "manifest/run_id=nightly-2.attempt-77",
            "manifest/run_id=weekly.attempt-30");

    RunAttempt next = RunAttempt.next("nightly", committed);

    assertThat(next.name()).isEqualTo("nightly.attempt-11");
    assertThat(RunAttempt.of(next.name())).isEqualTo(next);
    assertThat(committed.stream().filter(next::isOfSameRun)).hasSize(3);
  }
}
