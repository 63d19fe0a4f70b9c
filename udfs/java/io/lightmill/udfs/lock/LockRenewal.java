package io.lightmill.udfs.lock;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.util.ShutdownHookManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Renews a lock while its run is active and releases it at the end, also when the process is asked
 * to terminate. Losing the lock cancels the run.
 */
final class LockRenewal implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LockRenewal.class);
  private static final Duration INTERVAL = RunLock.EXPIRY.dividedBy(4);

  /** Runs before Spark (50) stops and Hadoop's file systems (10) are closed. */
  private static final int PRIORITY = 60;

  private final RunLock lock;
  private final Runnable lost;
  private final Runnable atShutdown;
  private final ScheduledFuture<?> ticking;
  private final ScheduledExecutorService renewing =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "renew run lock");
            thread.setDaemon(true);
            return thread;
          });

  /**
   * @param lost runs when another run has taken over the lock
   */
  LockRenewal(RunLock lock, Runnable lost) {
    this.lock = lock;
    this.lost = lost;
    this.atShutdown = lock::close;
    ShutdownHookManager.get().addShutdownHook(atShutdown, PRIORITY);
    this.ticking =
        renewing.scheduleWithFixedDelay(
            this::renew, INTERVAL.toMillis(), INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void renew() {
    try {
      if (!lock.renew()) {
        LOG.error("Another run has taken over the output because the lock had expired");
        lost.run();
        ticking.cancel(false);
      }
    } catch (RuntimeException e) { // the next attempt may succeed before the lock expires
      LOG.warn("Cannot renew the lock of the output: {}", e.getMessage(), e);
      if (!lock.holds()) {
        lost.run();
      }
    }
  }

  @Override
  public void close() {
    ticking.cancel(false);
    renewing.shutdown(); // an interrupt could leave a number that this run does not know of
    ShutdownHookManager.get().removeShutdownHook(atShutdown);
    lock.close();
  }
}
