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
 * been away for too long. A lock that expires while the store is away is renewed when it is back.
 */
final class LockRenewal implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(LockRenewal.class);
  private static final Duration INTERVAL = RunLock.EXPIRY.dividedBy(4);

  /** After a failed renewal, and while the run is ending. */
  private static final Duration SHORT_INTERVAL = INTERVAL.dividedBy(6);

  /** Runs before Spark (50) stops and Hadoop's file systems (10) are closed. */
  private static final int PRIORITY = 60;

  private final RunLock lock;
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
  private volatile Duration interval = INTERVAL;
  private volatile boolean failing;

  /**
   * @param longestOutage how long the store may be away
   * @param lost cancels the run
   */
  LockRenewal(RunLock lock, Duration longestOutage, Runnable lost) {
    this.lock = lock;
    this.longestOutage = longestOutage;
    this.lost = lost;
    this.atShutdown = lock::close;
    ShutdownHookManager.get().addShutdownHook(atShutdown, PRIORITY);
    renewing.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
    renewAfter(INTERVAL);
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
    boolean renewed = false;
    try {
      renewed = lock.renew();
      if (renewed && failing) {
        LOG.warn("The lock of the output is renewed again");
      }
      failing = !renewed;
    } catch (Throwable e) { // nothing may end the renewals
      failed(e);
    }
    if (lock.lost()) {
      LOG.error("Another run has taken over the output because the lock had expired");
      lost.run();
    } else {
      renewAfter(renewed ? interval : SHORT_INTERVAL);
    }
  }

  private void failed(Throwable failure) {
    if (!failing) {
      LOG.warn("The lock of the output is not renewed, and is tried again: {}", failure.toString());
    }
    failing = true;
    if (storeIsGone()) {
      LOG.error(
          "The store of the output did not respond for {}", StoreRetry.text(lock.sinceRenewal()));
      lost.run();
    }
  }

  /** Renews the lock now, and often from now on, to learn soon whether the store is away. */
  void hurry() {
    interval = SHORT_INTERVAL;
    renewAfter(Duration.ZERO);
  }

  /** Whether the store has been away for too long. */
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
