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
 * Keeps two runs from one output at a time. The lock is a row of numbered objects, each created
 * only if its number is free; the highest number holds. Its owner renews it by creating the next
 * number, and anybody else takes it over in the same way once it has expired: of two that try, one
 * finds the number taken. So the lock needs nothing of a store but that an object can be created
 * once.
 *
 * <p>Expiry is told by the clocks of the hosts, which should agree to within some seconds.
 */
public final class RunLock implements AutoCloseable {

  /** How long a lock outlives a run that was killed. */
  public static final Duration EXPIRY = Duration.ofMinutes(2);

  public static final String DIRECTORY = "run.lock";
  private static final String KEY = DIRECTORY + "/%08d.json";
  private static final String JSON = "application/json";

  private final ImageStore store;
  private final Clock clock;
  private final Runnable tidying;
  private LockHolder held;
  private long number;
  private boolean lost;

  private RunLock(ImageStore store, Clock clock) {
    this.store = store;
    this.clock = clock;
    this.tidying = store.tidying();
  }

  /**
   * Takes the lock of an output.
   *
   * @param output as the user wrote it, for messages
   * @throws LightmillException with {@code OUTPUT_IN_USE} if another run holds it
   */
  public static RunLock take(ImageStore store, String output, String runId, Clock clock) {
    RunLock lock = new RunLock(store, clock);
    Instant now = clock.instant();
    LockHolder ours = LockHolder.here(runId, now, now.plus(EXPIRY));
    while (true) {
      Optional<ListedObject> highest = lock.highest();
      Optional<FoundObject> object = highest.flatMap(listed -> store.find(listed.key()));
      if (highest.isPresent() && object.isEmpty()) {
        continue; // renewed or released between the two looks
      }
      Optional<LockHolder> holder = object.map(found -> LockHolder.read(found.bytes()));
      if (holder.isPresent() && holder.get().expires().isAfter(clock.instant())) {
        throw inUse(output, holder.get(), clock.instant());
      }
      if (lock.created(highest.map(RunLock::number).orElse(0L) + 1, ours)) {
        return lock;
      }
    }
  }

  /**
   * Puts the expiry off.
   *
   * @return false if another run has taken the lock over, since it had expired
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
   * Whether the lock is still this run's, as far as this host can tell without asking the store.
   */
  public synchronized boolean holds() {
    return !lost && held != null && held.expires().isAfter(clock.instant());
  }

  /** Whether another run is known to have taken the lock over. */
  synchronized boolean lost() {
    return lost;
  }

  /** Gives the lock back, unless another run has it. */
  @Override
  public synchronized void close() {
    if (held != null && !lost) {
      store.delete(key(number));
      store.deleteIfEmpty(DIRECTORY);
      tidying.run();
    }
    held = null;
  }

  /** Creates a number, and makes sure that it is the highest: an old one may have been deleted. */
  private boolean created(long next, LockHolder holder) {
    if (store.create(key(next), holder.json(), JSON).isEmpty()) {
      return false;
    }
    List<ListedObject> standing = store.listing().objects(DIRECTORY);
    if (standing.stream().anyMatch(other -> number(other) > next)) {
      store.delete(key(next));
      return false;
    }
    standing.stream()
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
        "output '%s' is in use: run '%s' of %s (process %d) has held its lock since %s. Wait until that run ends; if it was killed, its lock expires at %s, in %d s. Or choose another output"
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
        "the lock in '%s' below the output is damaged: %s; delete that directory if no run is using the output"
            .formatted(DIRECTORY, e.getMessage()),
        e);
  }
}
