package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;

/** What the process tells its caller. */
final class ExitStatus {

  /** All done; picocli's status for a command that ran. */
  static final int DONE = 0;

  /** Something failed that no option can fix; the log has the stack trace. */
  static final int UNEXPECTED = 1;

  /** The configuration or the input was refused, before any image was drawn. */
  static final int REFUSED = 2;

  /** The run finished and was committed, with more failed and invalid rows than were allowed. */
  static final int ROWS_FAILED = 3;

  /** The run was stopped and committed what it had; a rerun takes up the rest. */
  static final int STOPPED = 4;

  /** The verification finished, and not all comparisons hold. */
  static final int COMPARISONS_FAILED = 3;

  private ExitStatus() {}

  /** The status of a whole run that stopped with this error. */
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
      // Of a single image these are manifest rows; of a whole run they are not the user's doing.
      case GENERATION_FAILED, STORE_FAILED -> UNEXPECTED;
    };
  }
}
