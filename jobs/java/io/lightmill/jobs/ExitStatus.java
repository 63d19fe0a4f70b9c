package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.report.RunSummary;
import java.util.Optional;

/** Exit statuses of the process. */
final class ExitStatus {

  /** Success. */
  static final int DONE = 0;

  /** A failure that no option can fix; the log has the stack trace. */
  static final int UNEXPECTED = 1;

  /** Configuration or input is invalid; no image was drawn. */
  static final int REFUSED = 2;

  /** The run is committed, with more failed and invalid rows than allowed. */
  static final int ROWS_FAILED = 3;

  /** The run was stopped. Its finished images are kept, and a rerun draws the rest. */
  static final int STOPPED = 4;

  /** The store does not respond. The same command may succeed later; EX_TEMPFAIL of sysexits.h. */
  static final int UNAVAILABLE = 75;

  /** The verification is complete, and some comparisons fail. */
  static final int COMPARISONS_FAILED = 3;

  private ExitStatus() {}

  /**
   * The status of a committed run. A stopped run is to be run again, whatever failed so far; unless
   * failures stopped it, since these have to be fixed first.
   *
   * @param maxFailures failed and invalid rows that the run may have; empty where none stops it
   */
  static int of(RunSummary summary, Optional<Integer> maxFailures) {
    boolean tooMany = summary.failures() > maxFailures.orElse(0);
    if (summary.count(ImageStatus.PENDING) > 0 && !(tooMany && maxFailures.isPresent())) {
      return STOPPED;
    }
    return tooMany ? ROWS_FAILED : DONE;
  }

  /** The status of a run that failed with this error. */
  static int of(ErrorCode code) {
    return switch (code) {
      case CONFIGURATION_INVALID,
          INPUT_INVALID,
          OUTPUT_UNWRITABLE,
          OUTPUT_IN_USE,
          ID_DUPLICATE,
          PROMPT_MISSING,
          PROMPT_TOO_LONG,
          SIZE_INVALID,
          VALUE_INVALID,
          CHECKPOINT_INVALID,
          PIPELINE_UNKNOWN,
          WEIGHTS_INVALID ->
          REFUSED;
      case STORE_UNAVAILABLE -> UNAVAILABLE;
      case RUN_STOPPED -> STOPPED;
      // For a single image these are manifest rows; for a whole run they are not the user's errors.
      case GENERATION_FAILED, IMAGE_NOT_FINITE, STORE_FAILED -> UNEXPECTED;
    };
  }
}
