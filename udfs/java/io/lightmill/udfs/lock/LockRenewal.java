package io.lightmill.udfs.lock;

import io.lightmill.pipeline.LightmillException;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.util.ShutdownHookManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Renews a lock while its run goes on, and gives it back at the end, also where the process is told
 * to end. A lock that was lost stops the run.
 */
final class LockRenewal implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LockRenewal.class);
  private static final Duration INTERVAL = RunLock.EXPIRY.dividedBy(4);

  /** Before Spark (50) stops and Hadoop's file systems (10) are closed. */
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
   * @param lost told once another run has the lock
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
        LOG.error("Another run has taken the output over, since the lock had expired");
        lost.run();
        ticking.cancel(false);
      }
    } catch (LightmillException e) { // the store may answer the next time, before the lock expires
      LOG.warn("The lock of the output could not be renewed: {}", e.getMessage(), e);
      if (!lock.holds()) {
        lost.run();
      }
    }
  }

  @Override
  public void close() {
    renewing.shutdownNow();
    ShutdownHookManager.get().removeShutdownHook(atShutdown);
    lock.close();
  }
}
