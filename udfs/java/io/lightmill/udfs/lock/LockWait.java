package io.lightmill.udfs.lock;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Waits for the lock of an output while another run holds it.
 *
 * @param longest how long; zero to fail at once
 * @param clock of the waiting
 * @param pause waits for a while, and may be interrupted
 */
public record LockWait(Duration longest, Clock clock, Pause pause) {

  private static final Duration BETWEEN_ATTEMPTS = Duration.ofSeconds(5);

  /** As {@link Thread#sleep}. */
  public interface Pause {
    void last(Duration duration) throws InterruptedException;
  }

  public LockWait(Duration longest, Clock clock) {
    this(longest, clock, duration -> Thread.sleep(duration.toMillis()));
  }

  /**
   * Takes the lock.
   *
   * @param taking takes it, or throws {@code OUTPUT_IN_USE}
   * @param waiting receives the sentence on the holder, once, before the first pause
   * @throws LightmillException with {@code OUTPUT_IN_USE} if another run holds the lock to the end
   * @throws UncheckedIOException if this thread is interrupted
   */
  public <T> T take(Supplier<T> taking, Consumer<String> waiting) {
    Instant end = clock.instant().plus(longest);
    boolean reported = false;
    while (true) {
      try {
        return taking.get();
      } catch (LightmillException e) {
        Duration left = Duration.between(clock.instant(), end);
        if (e.code() != ErrorCode.OUTPUT_IN_USE || left.isZero() || left.isNegative()) {
          throw e;
        }
        if (!reported) {
          waiting.accept(e.getMessage());
          reported = true;
        }
        pause(left.compareTo(BETWEEN_ATTEMPTS) < 0 ? left : BETWEEN_ATTEMPTS);
      }
    }
  }

  private void pause(Duration duration) {
    try {
      pause.last(duration);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      InterruptedIOException interrupted =
          new InterruptedIOException("interrupted while it waited for the lock of the output");
      interrupted.initCause(e);
      throw new UncheckedIOException(interrupted);
    }
  }
}
