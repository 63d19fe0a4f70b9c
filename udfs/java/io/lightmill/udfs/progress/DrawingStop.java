package io.lightmill.udfs.progress;

import java.io.Serializable;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Tells tasks when to take no more rows: near the deadline, when the driver was told to end, or
 * when more rows failed than the run may have.
 *
 * @param deadline null for none
 */
public record DrawingStop(String runId, Instant deadline, Clock clock) implements Serializable {

  /** Runs of this driver that were told to end. */
  private static final Set<String> ENDED = ConcurrentHashMap.newKeySet();

  /**
   * What a task asks the driver: whether it is to end. Answered by {@link #answer}.
   *
   * @param failed rows of this partition that failed or are invalid so far, in one attempt at it
   */
  record Question(String runId, int partition, long failed) implements Serializable {}

  /** Ends a run of this driver. */
  public static void end(String runId) {
    ENDED.add(runId);
  }

  /** Forgets a run that is over. */
  public static void forget(String runId) {
    ENDED.remove(runId);
  }

  static boolean answer(Question question) {
    return ENDED.contains(question.runId());
  }

  /**
   * Whether the next batch is not to be begun.
   *
   * @param batch how long it may take
   * @param failed rows of the partition that failed or are invalid so far
   */
  public boolean reached(Duration batch, int partition, long failed) {
    boolean late = deadline != null && !clock.instant().plus(batch).isBefore(deadline);
    return late
        || ENDED.contains(runId)
        || ProgressPlugin.ask(new Question(runId, partition, failed))
            .filter(Boolean.TRUE::equals)
            .isPresent();
  }

  /** Tells the driver what failed in a partition whose last batch was begun. */
  public void ended(int partition, long failed) {
    if (failed > 0) {
      ProgressPlugin.send(new Question(runId, partition, failed));
    }
  }
}
