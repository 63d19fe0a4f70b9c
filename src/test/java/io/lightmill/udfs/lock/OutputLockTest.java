package io.lightmill.udfs.lock;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.HandClock;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.store.ImageStore;
import java.nio.file.Path;
import java.time.Instant;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run says when it fails, by the state of its lock. */
class OutputLockTest {

  private final IllegalStateException cancelled = new IllegalStateException("Job cancelled");

  private final HandClock clock = new HandClock(Instant.parse("2026-03-04T12:00:00Z"));
  @TempDir Path output;

  private OutputLock lock() {
    return OutputLock.of(TestSpark.session(), output.toString(), "first", clock);
  }

  @Test
  void aLockThatIsHeldExplainsNothing() {
    try (OutputLock lock = lock()) {
      assertThatCode(() -> lock.explain(cancelled)).doesNotThrowAnyException();
    }
  }

  @Test
  void aLockThatExpiredExplainsACancellationAndNoOtherFailure() {
    try (OutputLock lock = lock()) {
      clock.advance(RunLock.EXPIRY);

      assertThatThrownBy(() -> lock.explain(cancelled))
          .isInstanceOfSatisfying(
              LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_FAILED))
          .hasMessageContaining("'" + output + "' expired and could not be renewed")
          .hasCause(cancelled);
      LightmillException other = new LightmillException(ErrorCode.INPUT_INVALID, "no table");
      assertThatCode(() -> lock.explain(new IllegalStateException(other)))
          .doesNotThrowAnyException();
    }
  }

  @Test
  void aLockThatWasTakenOverExplainsEveryFailure() {
    try (OutputLock lock = lock()) {
      clock.advance(RunLock.EXPIRY);
      ImageStore store = ImageStore.open(output.toString(), new Configuration(false));
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
