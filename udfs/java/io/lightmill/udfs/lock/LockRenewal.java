package io.lightmill.udfs.lock;

import io.lightmill.udfs.store.StoreRetry;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.util.ShutdownHookManager;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Renews a lock while its run is active and releases it at the end, also when the process is asked
 * to terminate. The run is cancelled if another run has taken over the lock, or if the store has
 * been unavailable for too long. A lock that expires while the store is unavailable is renewed when
 * it is back.
 */
final class LockRenewal implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LockRenewal.class);

  /** After a failed renewal, and while the run is ending, a part of the interval. */
  private static final int HURRY = 6;

  /** Runs before Spark (50) stops and Hadoop's file systems (10) are closed. */
  private static final int PRIORITY = 60;

  /** For so long the release may delay the end of the process: Hadoop's default. */
  private static final Duration RELEASE = Duration.ofSeconds(30);

  private final RunLock lock;
  private final Duration shortInterval;
  private final Duration longestOutage;
  private final Runnable lost;
  private final Runnable atShutdown;
  private final ScheduledThreadPoolExecutor renewing =
      new ScheduledThreadPoolExecutor(
          1,
          task -> {
            Thread thread = new Thread(task, "renew run lock");
            thread.setDaemon(true);
            return thread;
          });
  private volatile Duration interval;
  private volatile boolean failing;
  private boolean gone;

  /**
   * @param interval between renewals
   * @param longestOutage how long the store may be unavailable
   * @param lost cancels the run
   */
  LockRenewal(RunLock lock, Duration interval, Duration longestOutage, Runnable lost) {
    this.lock = lock;
    this.interval = interval;
    this.shortInterval = interval.dividedBy(HURRY);
    this.longestOutage = longestOutage;
    this.lost = lost;
    this.atShutdown = lock::close;
    // Without a timeout, it reads the XML files of a new Hadoop configuration for its default.
    ShutdownHookManager.get()
        .addShutdownHook(atShutdown, PRIORITY, RELEASE.toMillis(), TimeUnit.MILLISECONDS);
    renewing.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    renewAfter(interval);
  }

  @SuppressWarnings("FutureReturnValueIgnored") // a renewal handles whatever it throws
  private void renewAfter(Duration delay) {
    try {
      renewing.schedule(this::renew, delay.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      LOG.debug("The lock is closed", e);
    }
  }

  private void renew() {
    try {
      renewOnce();
    } catch (Throwable e) { // nothing may end the renewals
      LOG.error("A renewal of the lock failed", e);
    } finally {
      if (!lock.lost()) {
        renewAfter(failing ? shortInterval : interval);
      }
    }
  }

  private void renewOnce() {
    try {
      if (!lock.renew()) {
        LOG.error("Another run has taken over the output because the lock had expired");
        lost.run();
      } else if (failing && lock.holds()) {
        LOG.warn("The lock of the output is renewed again");
        failing = false;
      }
    } catch (RuntimeException e) {
      if (!failing) {
        LOG.warn("The lock of the output is not renewed; it is tried again: {}", e.getMessage());
      }
      failing = true;
      if (storeIsGone()) {
        if (!gone) {
          LOG.error("The lock was not renewed for {}", StoreRetry.text(lock.sinceRenewal()));
        }
        gone = true;
        lost.run();
      }
    }
  }

  /** Renews the lock now, and often from now on, to learn soon whether the store is unavailable. */
  void hurry() {
    interval = shortInterval;
    renewAfter(Duration.ZERO);
  }

  /** Whether the store has been unavailable for too long. */
  boolean storeIsGone() {
    return failing && lock.sinceRenewal().compareTo(longestOutage) >= 0;
  }

  @Override
  public void close() {
    renewing.shutdown(); // an interrupt could leave a number that this run does not know of
    ShutdownHookManager.get().removeShutdownHook(atShutdown);
    lock.close();
  }
}
