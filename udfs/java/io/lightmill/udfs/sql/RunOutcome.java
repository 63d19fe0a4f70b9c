package io.lightmill.udfs.sql;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.report.RunSummary;
import io.lightmill.udfs.run.RunResult;
import java.util.Optional;

/** Whether a committed run counts as a success, by the rule of the command's exit statuses. */
final class RunOutcome {

  private RunOutcome() {}

  /**
   * Passes a run in which no row is pending, and no more rows failed or are invalid than allowed.
   *
   * @param maxFailures failed and invalid rows that the run may have; none if empty
   * @throws LightmillException with {@code GENERATION_FAILED} for any other run; its images and its
   *     manifest are committed
   */
  static void require(RunResult run, String output, Optional<Integer> maxFailures) {
    RunSummary summary = run.summary();
    if (summary.failures() > maxFailures.orElse(0)) {
      throw failed(
          "%d of %d rows failed or are invalid, and max-failures allows %d; the images and the manifest of run '%s' are committed to '%s'. %s"
              .formatted(
                  summary.failures(),
                  summary.images(),
                  maxFailures.orElse(0),
                  run.runId(),
                  output,
                  String.join("; ", summary.failureLines(run.manifest()))));
    }
    long pending = summary.count(ImageStatus.PENDING);
    if (pending > 0) {
      throw failed(
          "%d of %d rows are pending, since run '%s' was stopped; what was drawn is committed to '%s': write with mode append to draw the rest"
              .formatted(pending, summary.images(), run.runId(), output));
    }
  }

  private static LightmillException failed(String message) {
    return new LightmillException(ErrorCode.GENERATION_FAILED, message);
  }
}
