package io.lightmill.udfs.lock;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.store.ImageStore;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The thread that renews a lock. */
class LockRenewalTest {

  private static final Instant NOON = Instant.parse("2026-03-04T12:00:00Z");
  private static final Duration OFTEN = Duration.ofMillis(12);

  @TempDir Path output;

  private final BlockingQueue<Runnable> readings = new LinkedBlockingQueue<>();
  private final CountDownLatch handled = new CountDownLatch(5);
  private volatile boolean scripted;

  /** A clock that runs the next action when it is read, and counts how many it has run. */
  private final Clock clock =
      new Clock() {
        @Override
        public Instant instant() {
          Runnable action = scripted ? readings.poll() : null;
          if (action != null) {
            handled.countDown();
            action.run();
          }
          return NOON;
        }

        @Override
        public ZoneId getZone() {
          return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
          throw new UnsupportedOperationException("a clock of tests has one time zone, UTC");
        }
      };

  private RunLock take() {
    ImageStore store = ImageStore.open(output.toString(), new Configuration(false));
    return RunLock.take(store, output.toString(), "first", clock);
  }

  @Test
  void whateverARenewalThrowsTheNextOneFollows() throws Exception {
    readings.add(
        () -> {
          throw new IllegalStateException("injected");
        });
    readings.add(
        () -> {
          throw new AssertionError("injected");
        });
    for (int i = 0; i < 3; i++) {
      readings.add(() -> {});
    }
    CountDownLatch cancelled = new CountDownLatch(1);
    RunLock lock = take();
    scripted = true;
    try (LockRenewal renewal =
        new LockRenewal(lock, OFTEN, Duration.ofMinutes(15), cancelled::countDown)) {
      assertThat(handled.await(60, TimeUnit.SECONDS)).isTrue();
      assertThat(renewal.storeIsGone()).isFalse();
      assertThat(lock.lost()).isFalse();
    }
    assertThat(cancelled.getCount()).isEqualTo(1);
    assertThat(output).isEmptyDirectory();
  }

  @Test
  void aRunWhoseLockIsTakenOverIsCancelled() throws Exception {
    RunLock lock = take();
    ImageStore store = ImageStore.open(output.toString(), new Configuration(false));
    Clock later = Clock.offset(clock, RunLock.EXPIRY);
    CountDownLatch cancelled = new CountDownLatch(1);
    try (RunLock second = RunLock.take(store, output.toString(), "second", later);
        LockRenewal renewal =
            new LockRenewal(lock, OFTEN, Duration.ofMinutes(15), cancelled::countDown)) {
      assertThat(cancelled.await(60, TimeUnit.SECONDS)).isTrue();
      assertThat(renewal.storeIsGone()).isFalse();
      assertThat(second.renew()).isTrue();
    }
  }

  @Test
  void aRunWhoseStoreIsAwayForTooLongIsCancelled() throws Exception {
    RunLock lock = take();
    readings.add(
        () -> {
          throw new IllegalStateException("no response");
        });
    CountDownLatch cancelled = new CountDownLatch(1);
    scripted = true;
    try (LockRenewal renewal = new LockRenewal(lock, OFTEN, Duration.ZERO, cancelled::countDown)) {
      assertThat(cancelled.await(60, TimeUnit.SECONDS)).isTrue();
      assertThat(renewal).isNotNull();
    }
  }
}
