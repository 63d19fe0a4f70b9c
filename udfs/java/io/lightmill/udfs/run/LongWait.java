package io.lightmill.udfs.run;

import io.lightmill.udfs.RunListener;
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
    } finally {
      reports.cancel(true);
      watching.shutdownNow();
    }
  }
}
