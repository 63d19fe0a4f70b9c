package io.lightmill.udfs.progress;

import java.io.Serializable;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Tells tasks when to take no more rows: near the deadline, or when the driver was told to end.
 *
 * @param deadline null for none
 */
public record DrawingStop(String runId, Instant deadline, Clock clock) implements Serializable {

  /** Runs of this driver that were told to end. */
  private static final Set<String> ENDED = ConcurrentHashMap.newKeySet();

  /** What a task asks the driver: whether it is to end. Answered by {@link #answer}. */
  record Question(String runId) implements Serializable {}

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
   */
  public boolean reached(Duration batch) {
    boolean late = deadline != null && !clock.instant().plus(batch).isBefore(deadline);
    return late
        || ENDED.contains(runId)
        || ProgressPlugin.ask(new Question(runId)).filter(Boolean.TRUE::equals).isPresent();
  }
}
