package io.lightmill.udfs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import org.apache.commons.lang3.exception.ExceptionUtils;

/** Finds what the user can mend inside what Spark throws when a task fails. */
final class TaskFailures {

  private static final String OTHER_HEADER = "CSV header does not conform to the schema";

  private TaskFailures() {}

  /**
   * The same failure, as a {@link LightmillException} if there is one inside it. Spark throws
   * checked exceptions that Scala does not declare; they come back wrapped.
   */
  static RuntimeException mendable(Exception failure) {
    LightmillException known = ExceptionUtils.throwableOfType(failure, LightmillException.class);
    if (known != null) {
      return known;
    }
    if (ExceptionUtils.getStackTrace(failure).contains(OTHER_HEADER)) {
      return new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the CSV files of the prompt table have different headers; give all files the same columns in the same order",
          failure);
    }
    return failure instanceof RuntimeException unchecked
        ? unchecked
        : new IllegalStateException("Spark gave the job up: " + failure.getMessage(), failure);
  }
}
