package io.lightmill.udfs.progress;

import io.lightmill.udfs.manifest.RunAttempt;
import java.io.Serializable;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Decides for tasks when to start no more batches: near the deadline, after {@link #end}, or when
 * more rows failed than the run may have.
 *
 * @param run key of the run in its driver, see {@link #key}
 * @param deadline null for none
 */
public record DrawingStop(String run, Instant deadline, Clock clock) implements Serializable {

  /** Runs of this driver that have begun and are not closed. */
  private static final Set<String> ACTIVE = ConcurrentHashMap.newKeySet();

  /** Runs of this driver that are to end. */
  private static final Set<String> ENDED = ConcurrentHashMap.newKeySet();

  /**
   * A task's question to the driver, whether to end. {@link #answer} answers it.
   *
   * @param failed rows of this partition that failed or are invalid so far, in one attempt at it
   */
  record Question(String run, int partition, long failed) implements Serializable {}

  /**
   * Names a run in its driver: run ids are unique in an output only. All attempts at a run have the
   * same key.
   */
  public static String key(String output, String runId) {
    return output + " " + RunAttempt.of(runId).runId();
  }

  /**
   * Begins a run of this driver: from now on {@link #end} can end it. A run that begins while one
   * with the same key is active changes nothing; the output's lock refuses it.
   *
   * @return to be closed at the end of the run
   */
  public static AutoCloseable begin(String run) {
    if (!ACTIVE.add(run)) {
      return () -> {};
    }
    return () -> {
      ACTIVE.remove(run);
      ENDED.remove(run);
    };
  }

  /**
   * Ends a run of this driver.
   *
   * @return false, without effect, if the run is not active
   */
  public static boolean end(String run) {
    boolean active = ACTIVE.contains(run);
    if (active) {
      ENDED.add(run);
    }
    return active;
  }

  /** Whether a run of this driver is to end. */
  public static boolean isEnded(String run) {
    return ENDED.contains(run);
  }

  static boolean answer(Question question) {
    return isEnded(question.run());
  }

  /**
   * Whether the next batch must not start.
   *
   * @param batch expected duration
   * @param failed rows of the partition that failed or are invalid so far
   */
  public boolean reached(Duration batch, int partition, long failed) {
    boolean late = deadline != null && !clock.instant().plus(batch).isBefore(deadline);
    return late
        || ENDED.contains(run)
        || ProgressPlugin.ask(new Question(run, partition, failed))
            .filter(Boolean.TRUE::equals)
            .isPresent();
  }

  /** Reports the failures of a partition to the driver after its last batch. */
  public void ended(int partition, long failed) {
    if (failed > 0) {
      ProgressPlugin.send(new Question(run, partition, failed));
    }
  }
}
