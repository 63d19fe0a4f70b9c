package io.lightmill.udfs.run;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.option.Redaction;
import io.lightmill.udfs.store.StoreOutage;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Reports a step of the driver that takes long, such as a call to a store that does not answer,
 * which its client repeats in silence for minutes.
 *
 * @param first when a step is reported first
 * @param next time between further reports
 */
record LongWait(Duration first, Duration next) {

  static final LongWait REPORTED = new LongWait(Duration.ofSeconds(10), Duration.ofSeconds(60));

  /**
   * Makes the step.
   *
   * @param location that is waited for
   * @throws LightmillException with {@code STORE_UNAVAILABLE} if the step fails since a store does
   *     not respond
   */
  <T> T of(String location, RunListener listener, Supplier<T> step) {
    ScheduledExecutorService watching =
        Executors.newSingleThreadScheduledExecutor(
            task -> {
              Thread thread = new Thread(task, "long wait");
              thread.setDaemon(true);
              return thread;
            });
    long started = System.nanoTime();
    var reports =
        watching.scheduleWithFixedDelay(
            () -> listener.waiting(location, Duration.ofNanos(System.nanoTime() - started)),
            first.toNanos(),
            next.toNanos(),
            TimeUnit.NANOSECONDS);
    try {
      return step.get();
    } catch (LightmillException e) {
      throw explained(location, e);
    } finally {
      reports.cancel(true);
      watching.shutdownNow();
    }
  }

  private static LightmillException explained(String location, LightmillException failure) {
    boolean unread =
        failure.code() == ErrorCode.INPUT_INVALID || failure.code() == ErrorCode.CHECKPOINT_INVALID;
    return unread && StoreOutage.isCauseOf(failure) && !StoreOutage.isUnknownHost(failure)
        ? new LightmillException(
            ErrorCode.STORE_UNAVAILABLE,
            "the store of %s does not respond (%s); run again when it does, or fix its endpoint"
                .formatted(Redaction.location(location), StoreOutage.reason(failure)),
            failure)
        : failure;
  }
}
