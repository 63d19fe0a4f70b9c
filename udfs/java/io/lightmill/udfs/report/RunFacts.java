package io.lightmill.udfs.report;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.VerdictCounts;
import java.time.Duration;
import java.util.Map;

/**
 * The facts of a run in the header of a {@link ContactSheetPage}.
 *
 * @param runId of the run
 * @param model name of the checkpoint
 * @param statuses rows by status, in the order to show; their sum is all rows of the run
 * @param verdicts rows with a verdict
 * @param duration from start to commit
 */
public record RunFacts(
    String runId,
    String model,
    Map<ImageStatus, Long> statuses,
    VerdictCounts verdicts,
    Duration duration) {

  /** The facts of a run without verdicts. */
  public RunFacts(String runId, String model, Map<ImageStatus, Long> statuses, Duration duration) {
    this(runId, model, statuses, VerdictCounts.NONE, duration);
  }

  long rows() {
    return statuses.values().stream().mapToLong(Long::longValue).sum();
  }
}
