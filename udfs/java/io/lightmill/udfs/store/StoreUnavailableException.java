package io.lightmill.udfs.store;

import java.io.IOException;
import java.time.Duration;

/** A store has been unavailable for too long. */
final class StoreUnavailableException extends IOException {

  private static final long serialVersionUID = 1L;

  StoreUnavailableException(Duration outage, Exception last) {
    super(
        "the store did not respond for %s (%s)"
            .formatted(StoreRetry.text(outage), StoreOutage.reason(last)),
        last);
  }
}
