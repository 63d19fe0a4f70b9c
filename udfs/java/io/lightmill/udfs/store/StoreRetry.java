package io.lightmill.udfs.store;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.hadoop.conf.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Repeats calls to a store that does not respond, until it does or has been unavailable for too
 * long. A task whose calls wait draws no further batch, so what it holds stays bounded. All callers
 * in a JVM share the outage of a store: it ends for all of them at the same time.
 *
 * <p>A call that the store refuses with 403 is repeated too, for a fifteenth of that time.
 */
public final class StoreRetry {

  /** Hadoop property: how long a store may be unavailable before calls to it fail. */
  public static final String LONGEST_OUTAGE = "lightmill.store.outage";

  public static final Duration DEFAULT_OUTAGE = Duration.ofMinutes(15);

  /** Calls are not repeated: for local disks, and for callers that repeat their calls. */
  static final StoreRetry NONE = new StoreRetry("", Duration.ZERO, System::nanoTime, pause -> {});

  private static final Logger LOG = LoggerFactory.getLogger(StoreRetry.class);
  private static final Map<String, StoreRetry> SHARED = new ConcurrentHashMap<>();

  /** Parts of the longest outage: with 15 minutes, pauses are 1, 2, 4, 8, 15, 15… s. */
  private static final int FIRST_PAUSE = 900;

  private static final int LONGEST_PAUSE = 60;
  private static final int DENIAL = 15;

  /** A call to the store. */
  @FunctionalInterface
  public interface Call<T> {
    T run() throws IOException;
  }

  /** Waits. */
  @FunctionalInterface
  interface Pause {
    void last(Duration duration) throws InterruptedException;
  }

  private final String store;
  private final Duration longest;
  private final LongSupplier nanoTime;
  private final Pause pause;

  /** When the first call that got no response began. */
  private long since;

  private boolean unavailable;

  /** Whether a call was refused for so long that it failed; others then fail at once. */
  private volatile boolean denied;

  StoreRetry(String store, Duration longest, LongSupplier nanoTime, Pause pause) {
    this.store = store;
    this.longest = longest;
    this.nanoTime = nanoTime;
    this.pause = pause;
  }

  /** For the store of this location, with the longest outage of the configuration. */
  public static StoreRetry of(URI location, Configuration configuration) {
    if ("file".equals(location.getScheme())) {
      return NONE;
    }
    Duration longest = longestOutage(configuration);
    String store = location.getScheme() + "://" + location.getAuthority();
    return SHARED.computeIfAbsent(
        store + " " + longest,
        key ->
            new StoreRetry(
                store,
                longest,
                System::nanoTime,
                pause -> TimeUnit.NANOSECONDS.sleep(pause.toNanos())));
  }

  public static Duration longestOutage(Configuration configuration) {
    return Duration.ofMillis(
        configuration.getTimeDuration(
            LONGEST_OUTAGE, DEFAULT_OUTAGE.toMillis(), TimeUnit.MILLISECONDS));
  }

  /**
   * Calls the store until it responds.
   *
   * @throws IOException or {@code RuntimeException} of the last call if repeating it does not help,
   *     if the store has been unavailable for the longest outage, or if this thread is interrupted
   */
  public <T> T call(Call<T> call) throws IOException {
    long started = nanoTime.getAsLong();
    for (int pauses = 0; ; pauses++) {
      try {
        T result = call.run();
        responded();
        return result;
      } catch (IOException | RuntimeException e) {
        if (longest.isZero() || Thread.currentThread().isInterrupted()) {
          throw e;
        }
        if (StoreOutage.isCauseOf(e)) {
          Duration outage = outage(started, e);
          if (outage.compareTo(longest) >= 0) {
            throw new StoreUnavailableException(outage, e);
          }
        } else if (!StoreOutage.isDenied(e) || denied || deniedTooLong(started)) {
          throw e;
        }
        pause(pauses, e);
      }
    }
  }

  private synchronized void responded() {
    denied = false;
    if (unavailable) {
      unavailable = false;
      LOG.warn("{} responds again after {}", store, text(since(since)));
    }
  }

  /** How long the store has been unavailable. */
  private synchronized Duration outage(long started, Exception failure) {
    if (!unavailable) {
      unavailable = true;
      since = started;
      LOG.warn(
          "{} does not respond; calls to it are repeated for {}: {}",
          store,
          text(longest),
          StoreOutage.reason(failure));
    }
    return since(since);
  }

  private boolean deniedTooLong(long started) {
    denied = since(started).compareTo(longest.dividedBy(DENIAL)) >= 0;
    return denied;
  }

  private Duration since(long nanos) {
    return Duration.ofNanos(nanoTime.getAsLong() - nanos);
  }

  private void pause(int pauses, Exception failure) throws IOException {
    Duration first = longest.dividedBy(FIRST_PAUSE);
    Duration most = longest.dividedBy(LONGEST_PAUSE);
    Duration next = first.multipliedBy(1L << Math.min(pauses, 10));
    try {
      pause.last(next.compareTo(most) < 0 ? next : most);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      InterruptedIOException interrupted =
          new InterruptedIOException("interrupted while the store did not respond");
      interrupted.initCause(failure);
      throw interrupted;
    }
  }

  /** A duration as people write it, such as 3 min 20 s. */
  public static String text(Duration duration) {
    long seconds = duration.toSeconds();
    if (seconds < 60) {
      return seconds + " s";
    }
    return seconds % 60 == 0
        ? seconds / 60 + " min"
        : "%d min %d s".formatted(seconds / 60, seconds % 60);
  }
}
