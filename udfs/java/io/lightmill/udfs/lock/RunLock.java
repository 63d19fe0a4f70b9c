package io.lightmill.udfs.lock;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.store.FoundObject;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.ListedObject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Excludes concurrent runs on one output. The lock is a series of numbered objects, each created
 * only if its number is free; the highest number is valid. Its owner renews the lock by creating
 * the next number. After the lock expires, any other run may take it over in the same way; if two
 * try, only one can create the number. So all that the lock needs from a store is that an object
 * can be created at most once.
 *
 * <p>Expiry depends on the clocks of the hosts, which should agree to within seconds.
 */
public final class RunLock implements AutoCloseable {

  /** How long a lock stays valid after its last renewal. */
  public static final Duration EXPIRY = Duration.ofMinutes(2);

  public static final String DIRECTORY = "run.lock";
  private static final String KEY = DIRECTORY + "/%08d.json";
  private static final String JSON = "application/json";

  private final ImageStore store;
  private final Clock clock;
  private final Runnable cleanup;
  private LockHolder held;
  private long number;
  private boolean lost;

  private RunLock(ImageStore store, Clock clock) {
    this.store = store;
    this.clock = clock;
    this.cleanup = store.cleanup();
  }

  /**
   * Takes the lock of an output.
   *
   * @param output that the user specified, for messages
   * @throws LightmillException with {@code OUTPUT_IN_USE} if another run holds it
   */
  public static RunLock take(ImageStore store, String output, String runId, Clock clock) {
    RunLock lock = new RunLock(store, clock);
    Instant now = clock.instant();
    LockHolder claim = LockHolder.ofThisProcess(runId, now, now.plus(EXPIRY));
    while (true) {
      Optional<ListedObject> highest = lock.highest();
      Optional<FoundObject> object = highest.flatMap(listed -> store.find(listed.key()));
      if (highest.isPresent() && object.isEmpty()) {
        continue; // renewed or released between the two calls
      }
      Optional<LockHolder> holder = object.map(found -> LockHolder.read(found.bytes()));
      if (holder.isPresent() && holder.get().expires().isAfter(clock.instant())) {
        throw inUse(output, holder.get(), clock.instant());
      }
      if (lock.created(highest.map(RunLock::number).orElse(0L) + 1, claim)) {
        return lock;
      }
    }
  }

  /**
   * Postpones the expiry.
   *
   * @return false if another run has taken over the lock because it had expired
   */
  synchronized boolean renew() {
    if (lost || held == null) {
      return !lost;
    }
    LockHolder renewed = held.until(clock.instant().plus(EXPIRY));
    long before = number;
    if (!created(before + 1, renewed)) {
      lost = true;
      return false;
    }
    store.delete(key(before));
    return true;
  }

  /**
   * Whether this run still holds the lock, as far as this host knows without a call to the store.
   */
  public synchronized boolean holds() {
    return !lost && held != null && held.expires().isAfter(clock.instant());
  }

  /** Whether another run is known to have taken over the lock. */
  synchronized boolean lost() {
    return lost;
  }

  /** Releases the lock, unless another run has taken it over. */
  @Override
  public synchronized void close() {
    if (held != null && !lost) {
      store.delete(key(number));
      store.deleteIfEmpty(DIRECTORY);
      cleanup.run();
    }
    held = null;
  }

  /** Creates a number and checks that it is the highest: the number may be an old, deleted one. */
  private boolean created(long next, LockHolder holder) {
    if (store.create(key(next), holder.json(), JSON).isEmpty()) {
      return false;
    }
    List<ListedObject> objects = store.listing().objects(DIRECTORY);
    if (objects.stream().anyMatch(other -> number(other) > next)) {
      store.delete(key(next));
      return false;
    }
    objects.stream()
        .filter(other -> number(other) < next)
        .forEach(other -> store.delete(other.key()));
    held = holder;
    number = next;
    return true;
  }

  private Optional<ListedObject> highest() {
    return store.listing().objects(DIRECTORY).stream()
        .max(Comparator.comparingLong(RunLock::number));
  }

  private static String key(long number) {
    return KEY.formatted(number);
  }

  private static long number(ListedObject listed) {
    return Long.parseLong(listed.key().replaceAll("\\D", ""));
  }

  private static LightmillException inUse(String output, LockHolder holder, Instant now) {
    return new LightmillException(
        ErrorCode.OUTPUT_IN_USE,
        "output '%s' is in use: run '%s' of %s (process %d) has held its lock since %s; wait until that run ends or choose another output; if it was killed, its lock expires at %s, in %d s"
            .formatted(
                output,
                holder.runId(),
                holder.owner(),
                holder.process(),
                holder.since().truncatedTo(ChronoUnit.SECONDS),
                holder.expires().truncatedTo(ChronoUnit.SECONDS),
                Duration.between(now, holder.expires()).toSeconds() + 1));
  }

  static LightmillException unreadable(Exception e) {
    return new LightmillException(
        ErrorCode.OUTPUT_UNWRITABLE,
        "the lock in '%s' below the output is damaged: %s; delete that directory if no run uses the output"
            .formatted(DIRECTORY, e.getMessage()),
        e);
  }
}
