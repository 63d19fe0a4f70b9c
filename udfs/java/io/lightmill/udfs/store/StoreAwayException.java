package io.lightmill.udfs.store;

import java.io.IOException;
import java.time.Duration;
import org.apache.commons.lang3.StringUtils;
import org.apache.commons.lang3.exception.ExceptionUtils;

/** A store has been away for too long. */
final class StoreAwayException extends IOException {

  private static final long serialVersionUID = 1L;

  StoreAwayException(Duration outage, Exception last) {
    super(
        "the store did not respond for %s (%s)".formatted(StoreRetry.text(outage), root(last)),
        last);
  }

  private static String root(Exception last) {
    Throwable root = ExceptionUtils.getRootCause(last);
    return StringUtils.removeEnd(
        String.valueOf(root.getMessage()).lines().findFirst().orElse(""), ".");
  }
}
