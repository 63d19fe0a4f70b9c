package io.lightmill.udfs.sql;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.report.RunSummary;
import io.lightmill.udfs.run.RunResult;
import java.util.Optional;

/** Whether a committed run is a success, by the same rule as the exit status of the command. */
final class RunOutcome {

  private RunOutcome() {}

  /**
   * Accepts a run in which no row is pending and no more rows failed or are invalid than allowed.
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
                  String.join("; ", summary.failureLines(run::manifest))));
    }
    long pending = summary.count(ImageStatus.PENDING);
    if (pending > 0) {
      throw failed(
          "%d of %d rows are pending, since run '%s' was stopped; the other images are committed to '%s'; write with mode append to draw the rest"
              .formatted(pending, summary.images(), run.runId(), output));
    }
  }

  private static LightmillException failed(String message) {
    return new LightmillException(ErrorCode.GENERATION_FAILED, message);
  }
}
