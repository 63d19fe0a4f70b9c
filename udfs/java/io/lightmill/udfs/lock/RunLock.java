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
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Excludes concurrent runs on one output. The lock is a series of numbered objects, each created
 * only if its number is free; the highest number is valid. Its owner renews the lock by creating
 * the next number. After the lock expires, any other run may take it over in the same way; if two
 * try, only one can create the number. So all that the lock needs from a store is that an object
 * can be created at most once.
 *
 * <p>A lock that has expired is still held as long as nobody has created a higher number: its owner
 * renews it when the store responds again. Expiry depends on the clock, which is that of the store
 * ({@link io.lightmill.udfs.store.StoreTime}), so that the clocks of the hosts may differ.
 */
public final class RunLock implements AutoCloseable {

  /** How long a lock stays valid after its last renewal. */
  public static final Duration EXPIRY = Duration.ofMinutes(2);

  public static final String DIRECTORY = "run.lock";
  private static final Logger LOG = LoggerFactory.getLogger(RunLock.class);
  private static final String KEY = DIRECTORY + "/%08d.json";
  private static final Pattern NUMBERED = Pattern.compile(DIRECTORY + "/\\d{8,18}\\.json");
  private static final String JSON = "application/json";

  private final ImageStore store;
  private final Clock clock;
  private final Runnable cleanup;
  private final LockHolder claim;
  private volatile LockHolder held;
  private volatile Instant renewed;
  private volatile boolean lost;
  private long number;

  private RunLock(ImageStore store, String runId, Clock clock) {
    Instant now = clock.instant();
    this.store = store.withoutRetry();
    this.clock = clock;
    this.renewed = now;
    this.claim = LockHolder.ofThisProcess(runId, now, now.plus(EXPIRY));
    this.cleanup = store.tidying();
  }

  /**
   * Takes the lock of an output.
   *
   * @param output that the user specified, for messages
   * @param clock of the store
   * @throws LightmillException with {@code OUTPUT_IN_USE} if another run holds it
   */
  public static RunLock take(ImageStore store, String output, String runId, Clock clock) {
    RunLock lock = new RunLock(store, runId, clock);
    while (true) {
      Optional<ListedObject> highest = lock.highest();
      Optional<FoundObject> object = highest.flatMap(listed -> lock.store.find(listed.key()));
      if (highest.isPresent() && object.isEmpty()) {
        continue; // renewed or released between the two calls
      }
      Optional<LockHolder> holder = object.map(found -> LockHolder.read(found.bytes()));
      if (holder.isPresent() && holder.get().expires().isAfter(clock.instant())) {
        throw inUse(output, holder.get(), clock.instant());
      }
      long next = highest.map(RunLock::number).orElse(0L) + 1;
      try {
        if (lock.created(next, lock.claim)) {
          return lock;
        }
      } catch (LightmillException e) {
        bestEffort("release the lock", () -> lock.deleteIfOwn(key(next)));
        throw e;
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
    lost = !created(number + 1, renewed);
    return !lost;
  }

  /**
   * Whether this run is sure to hold the lock, without a call to the store: it has not expired, so
   * no other run can have taken it over.
   */
  public boolean holds() {
    LockHolder holder = held;
    return !lost && holder != null && holder.expires().isAfter(clock.instant());
  }

  /** Whether another run is known to have taken over the lock. */
  boolean lost() {
    return lost;
  }

  /** The time since the lock was taken or last renewed. */
  Duration sinceRenewal() {
    return Duration.between(renewed, clock.instant());
  }

  /**
   * Releases the lock, unless another run has taken it over. Waits for a renewal that is under way.
   * If the store fails, the lock stays until it expires.
   */
  @Override
  public synchronized void close() {
    if (held != null && !lost) {
      bestEffort("release the lock", this::deleteOwn);
    }
    held = null;
  }

  /** Deletes also numbers that this run created without learning of it. */
  private void deleteOwn() {
    store.delete(key(number));
    objects().map(ListedObject::key).forEach(this::deleteIfOwn);
    store.deleteIfEmpty(DIRECTORY);
    cleanup.run();
  }

  /**
   * Creates a number, or finds that an earlier attempt of this process has created it. Checks that
   * it is the highest: the number may be an old, deleted one.
   */
  private boolean created(long next, LockHolder holder) {
    LockHolder created = holder;
    if (store.create(key(next), holder.json(), JSON).isEmpty()) {
      Optional<LockHolder> own = holder(key(next)).filter(claim::isSameProcess);
      if (own.isEmpty()) {
        return false;
      }
      created = own.get();
    }
    boolean unchallenged = holds(); // then no other run can have taken a number
    if (!unchallenged && objects().anyMatch(other -> number(other) > next)) {
      bestEffort("delete the lock's object " + next, () -> store.delete(key(next)));
      return false;
    }
    held = created;
    renewed = clock.instant();
    number = next;
    bestEffort(
        "delete the lock's earlier objects",
        () ->
            objects()
                .filter(other -> number(other) < next)
                .forEach(other -> store.delete(other.key())));
    return true;
  }

  /** Numbered objects; other files are not ours to judge. */
  private Stream<ListedObject> objects() {
    return store.listing().objects(DIRECTORY).stream()
        .filter(object -> NUMBERED.matcher(object.key()).matches());
  }

  private Optional<LockHolder> holder(String key) {
    return store.find(key).map(found -> LockHolder.read(found.bytes()));
  }

  private void deleteIfOwn(String key) {
    if (holder(key).filter(claim::isSameProcess).isPresent()) {
      store.delete(key);
    }
  }

  private static void bestEffort(String what, Runnable action) {
    try {
      action.run();
    } catch (LightmillException e) { // whoever takes the lock next deletes what is left
      LOG.warn("Cannot {}: {}", what, e.getMessage());
    }
  }

  private Optional<ListedObject> highest() {
    return objects().max(Comparator.comparingLong(RunLock::number));
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
