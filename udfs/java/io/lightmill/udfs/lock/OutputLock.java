package io.lightmill.udfs.lock;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.StoreRetry;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.conf.Configuration;

/**
 * Gives a run exclusive use of its output. A run that loses the lock is cancelled, and so is one
 * whose store has been unavailable for too long.
 */
public final class OutputLock implements AutoCloseable {

  private static final Duration RECENT = RunLock.EXPIRY.dividedBy(8);

  private final String output;
  private final RunLock lock;
  private final LockRenewal renewal;
  private final StoreRetry retry;

  private OutputLock(String output, RunLock lock, LockRenewal renewal, StoreRetry retry) {
    this.output = output;
    this.lock = lock;
    this.renewal = renewal;
    this.retry = retry;
  }

  /**
   * Locks the output.
   *
   * @param clock of the store
   * @param cancel cancels the run
   * @throws LightmillException with {@code OUTPUT_IN_USE} if another run holds the lock
   */
  public static OutputLock of(
      String output, String runId, Configuration hadoop, Clock clock, Runnable cancel) {
    ImageStore store = ImageStore.open(output, hadoop);
    RunLock lock = RunLock.take(store, output, runId, clock);
    LockRenewal renewal =
        new LockRenewal(
            lock, RunLock.EXPIRY.dividedBy(4), StoreRetry.longestOutage(hadoop), cancel);
    return new OutputLock(output, lock, renewal, store.retry());
  }

  /**
   * Renews the lock and checks that this run still holds it. Waits for a store that does not
   * respond.
   *
   * @throws LightmillException with {@code OUTPUT_IN_USE} if it does not, {@code STORE_UNAVAILABLE}
   *     if the store has been unavailable for too long
   */
  public void require() {
    try {
      if (!retry.call(lock::renew)) {
        throw takenOver();
      }
    } catch (IOException e) {
      throw unavailable(e);
    }
  }

  /** As {@link #require}, without a call to the store if the lock was renewed a moment ago. */
  public void requireRecent() {
    if (!lock.holds() || lock.sinceRenewal().compareTo(RECENT) > 0) {
      require();
    }
  }

  /** The run is ending: from now on {@link #storeIsUnavailable} is exact to a few seconds. */
  public void hurry() {
    renewal.hurry();
  }

  /**
   * Whether the lock could not be renewed for this long. A run that does not {@link #hurry} renews
   * it every 30 s.
   */
  public boolean storeIsUnavailable(Duration duration) {
    return lock.sinceRenewal().compareTo(duration) >= 0;
  }

  /**
   * Explains the failure of a run that was cancelled since it lost its lock or could not renew it.
   *
   * @throws LightmillException with {@code OUTPUT_IN_USE} if another run has taken over the lock,
   *     with {@code STORE_UNAVAILABLE} if the store was unavailable for too long and the failure
   *     has no other reason
   */
  public void explain(Exception failure) {
    if (lock.lost()) {
      throw takenOver();
    }
    if (renewal.storeIsGone()
        && ExceptionUtils.throwableOfType(failure, LightmillException.class) == null) {
      throw unavailable(failure);
    }
  }

  private LightmillException unavailable(Exception failure) {
    return new LightmillException(
        ErrorCode.STORE_UNAVAILABLE,
        "the store of output '%s' did not respond for %s, so the run ended; its images are kept, and a rerun reuses them; for longer outages set spark.hadoop.%s"
            .formatted(output, StoreRetry.text(lock.sinceRenewal()), StoreRetry.LONGEST_OUTAGE),
        failure);
  }

  private LightmillException takenOver() {
    return new LightmillException(
        ErrorCode.OUTPUT_IN_USE,
        "output '%s' was taken over by another run because this run did not renew its lock in time; its images are kept, and a rerun reuses them"
            .formatted(output));
  }

  @Override
  public void close() {
    renewal.close();
  }
}
