package io.lightmill.jobs;

import io.lightmill.pipeline.LightmillException;
import java.util.Optional;
import org.apache.commons.lang3.exception.ExceptionUtils;

/**
 * The error that ends a command.
 *
 * @param cause as it was thrown
 * @param known the error with a sentence for the user; empty for any other
 */
record Failure(Exception cause, Optional<LightmillException> known) {

  /** An error of a task arrives as a cause of Spark's exceptions. */
  static Failure of(Exception cause) {
    return new Failure(
        cause,
        Optional.ofNullable(ExceptionUtils.throwableOfType(cause, LightmillException.class)));
  }

  int status() {
    return known.map(e -> ExitStatus.of(e.code())).orElse(ExitStatus.UNEXPECTED);
  }

  /** One sentence. */
  String message() {
    return known.map(Throwable::getMessage).orElseGet(this::unexpected);
  }

  private String unexpected() {
    String firstLine = String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
    return "unexpected failure: %s: %s (the log has the stack trace)"
        .formatted(cause.getClass().getSimpleName(), firstLine);
  }
}
