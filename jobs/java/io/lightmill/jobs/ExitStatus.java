package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
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

  /**
   * Nothing is wrong with the run, but the output is in use or its store is unavailable: try again
   * later, as {@code EX_TEMPFAIL} of {@code sysexits.h} says.
   */
  static final int TRY_AGAIN = 75;

  /** The verification is complete, and some comparisons fail. */
  static final int COMPARISONS_FAILED = 3;

  private ExitStatus() {}

  /**
   * The status of a committed run.
   *
   * @param maxFailures failed and invalid rows that the run may have; empty where none stops it
   */
  static int of(RunSummary summary, Optional<Integer> maxFailures) {
    return switch (summary.end(maxFailures)) {
      case SUCCEEDED -> DONE;
      case ROWS_FAILED -> ROWS_FAILED;
      case STOPPED -> STOPPED;
      case FAILED -> UNEXPECTED;
    };
  }

  /** The status of a run that failed with this error. */
  static int of(ErrorCode code) {
    return switch (code) {
      case CONFIGURATION_INVALID,
          INPUT_INVALID,
          OUTPUT_UNWRITABLE,
          ID_DUPLICATE,
          PROMPT_MISSING,
          PROMPT_TOO_LONG,
          SIZE_INVALID,
          VALUE_INVALID,
          POLICY_INVALID,
          CHECKPOINT_INVALID,
          PIPELINE_UNKNOWN,
          WEIGHTS_INVALID ->
          REFUSED;
      case OUTPUT_IN_USE, STORE_UNAVAILABLE -> TRY_AGAIN;
      case RUN_STOPPED -> STOPPED;
      // For a single image these are manifest rows; for a whole run they are not the user's errors.
      case GENERATION_FAILED,
          IMAGE_NOT_FINITE,
          IMAGE_BLANK,
          STORE_FAILED,
          PROMPT_BLOCKED,
          IMAGE_BLOCKED,
          PROVIDER_BLOCKED,
          PROVIDER_FAILED,
          PROVIDER_ANSWER_INVALID,
          PROVIDER_ANSWER_LOST,
          REQUEST_NOT_SENT ->
          UNEXPECTED;
    };
  }
}
