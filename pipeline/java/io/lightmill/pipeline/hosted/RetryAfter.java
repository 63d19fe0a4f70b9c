package io.lightmill.pipeline.hosted;

import java.net.http.HttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.Optional;

/**
 * When to send a request again: {@code Retry-After} in seconds or as a date (RFC 9110, 10.2.3), and
 * {@code retry-after-ms}, which Azure sends as well.
 */
final class RetryAfter {

  private static final long MOST_SECONDS = 1_000_000_000;

  private RetryAfter() {}

  /** The pause from now; empty if the answer does not say so. */
  static Optional<Duration> of(HttpHeaders headers, Instant now) {
    Optional<String> millis = headers.firstValue("retry-after-ms").filter(RetryAfter::isNumber);
    if (millis.isPresent()) {
      return Optional.of(Duration.ofMillis(Math.round(Double.parseDouble(millis.get().strip()))));
    }
    return headers.firstValue("Retry-After").flatMap(text -> parsed(text.strip(), now));
  }

  private static Optional<Duration> parsed(String text, Instant now) {
    if (isNumber(text)) {
      double seconds = Math.min(Double.parseDouble(text), MOST_SECONDS);
      return Optional.of(Duration.ofMillis(Math.round(seconds * 1000)));
    }
    try {
      Instant date =
          ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME.withLocale(Locale.US))
              .toInstant();
      Duration pause = Duration.between(now, date);
      return Optional.of(pause.isNegative() ? Duration.ZERO : pause);
    } catch (DateTimeParseException e) {
      return Optional.empty(); // as if there were none: the pause is ours to choose
    }
  }

  private static boolean isNumber(String text) {
    return text.strip().matches("\\d{1,12}(\\.\\d{1,9})?");
  }
}
