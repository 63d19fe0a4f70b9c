package io.lightmill.udfs.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.HandClock;
import io.lightmill.udfs.store.ImageStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run says when it fails, by the state of its lock. */
class OutputLockTest {

  private static final Instant NOON = Instant.parse("2026-03-04T12:00:00Z");

  private final IllegalStateException cancelled = new IllegalStateException("Job cancelled");
  private final Configuration hadoop = new Configuration(false);
  private final HandClock clock = new HandClock(NOON);
  @TempDir Path output;

  private OutputLock lock() {
    return OutputLock.of(output.toString(), "first", hadoop, clock, () -> {});
  }

  @Test
  void aLockThatIsHeldExplainsNothing() {
    try (OutputLock lock = lock()) {
      assertThatCode(() -> lock.explain(cancelled)).doesNotThrowAnyException();
    }
  }

  @Test
  void aLockThatExpiredIsRenewedAsLongAsNobodyTookIt() {
    try (OutputLock lock = lock()) {
      clock.advance(RunLock.EXPIRY.multipliedBy(10));
      assertThat(lock.storeIsUnavailable(Duration.ofMinutes(20))).isTrue();

      assertThatCode(() -> lock.explain(cancelled)).doesNotThrowAnyException();
      lock.require();
      assertThat(lock.storeIsUnavailable(Duration.ofSeconds(1))).isFalse();
    }
  }

  @Test
  void aLockThatWasTakenOverExplainsEveryFailure() {
    try (OutputLock lock = lock()) {
      clock.advance(RunLock.EXPIRY);
      ImageStore store = ImageStore.open(output.toString(), hadoop);
      try (RunLock second = RunLock.take(store, output.toString(), "second", clock)) {
        assertThat(second.holds()).isTrue();
        assertThatThrownBy(lock::require).hasMessageContaining("taken over by another run");
        assertThatThrownBy(() -> lock.explain(cancelled))
            .isInstanceOfSatisfying(
                LightmillException.class,
                e -> assertThat(e.code()).isEqualTo(ErrorCode.OUTPUT_IN_USE));
      }
    }
  }
}
