package io.lightmill.udfs.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.HandClock;
import io.lightmill.udfs.store.ImageStore;
import java.io.InterruptedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LockWaitTest {

  private static final Duration LONGEST = Duration.ofSeconds(12);

  private final HandClock clock = new HandClock(Instant.parse("2026-03-04T12:00:00Z"));
  private final List<Duration> pauses = new ArrayList<>();
  private final List<String> reported = new ArrayList<>();

  @TempDir Path directory;
  private ImageStore store;
  private RunLock holder;

  @BeforeEach
  void hold() {
    store = ImageStore.open(directory.toString(), new Configuration(false));
    holder = take("holder");
  }

  private RunLock take(String runId) {
    return RunLock.take(store, "the output", runId, clock);
  }

  private LockWait wait(Duration longest, Runnable atSecondPause) {
    return new LockWait(
        longest,
        clock,
        duration -> {
          pauses.add(duration);
          clock.advance(duration);
          if (pauses.size() == 2) {
            atSecondPause.run();
          }
        });
  }

  @Test
  void theLockIsTakenWhenItsHolderReleasesIt() {
    RunLock taken = wait(LONGEST, holder::close).take(() -> take("next"), reported::add);

    assertThat(taken.holds()).isTrue();
    assertThat(pauses).containsExactly(Duration.ofSeconds(5), Duration.ofSeconds(5));
    assertThat(reported).singleElement().asString().contains("run 'holder' of ");
  }

  @Test
  void theWaitEnds() {
    assertThatThrownBy(() -> wait(LONGEST, () -> {}).take(() -> take("next"), reported::add))
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.OUTPUT_IN_USE));
    assertThat(pauses)
        .containsExactly(Duration.ofSeconds(5), Duration.ofSeconds(5), Duration.ofSeconds(2));
    assertThat(reported).hasSize(1);
  }

  @Test
  void withoutAWaitAHeldLockIsRefusedAtOnce() {
    assertThatThrownBy(() -> wait(Duration.ZERO, () -> {}).take(() -> take("next"), reported::add))
        .hasMessageContaining("is in use");
    assertThat(pauses).isEmpty();
    assertThat(reported).isEmpty();
  }

  @Test
  void anInterruptEndsTheWait() {
    LockWait waiting = new LockWait(Duration.ofDays(1), clock);
    Thread.currentThread().interrupt();
    try {
      assertThatThrownBy(() -> waiting.take(() -> take("next"), reported::add))
          .hasCauseInstanceOf(InterruptedIOException.class);
      assertThat(Thread.currentThread().isInterrupted()).isTrue();
    } finally {
      Thread.interrupted();
    }
  }
}
