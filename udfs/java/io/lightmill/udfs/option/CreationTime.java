package io.lightmill.udfs.option;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.Optional;

/**
 * Which time of creation image files have.
 *
 * @param run whether it is the start of the run
 * @param fixed a fixed time; empty for the start of the run, or for none
 */
public record CreationTime(boolean run, Optional<Instant> fixed) {

  static final CreationTime NONE = new CreationTime(false, Optional.empty());

  static final OptionType<CreationTime> TYPE =
      OptionType.of(
          "none, run, or a time with its zone such as 2026-11-26T09:00:00Z",
          CreationTime::read,
          CreationTime::text);

  /** The time to the second; empty for none. */
  public Optional<Instant> of(Instant startOfRun) {
    return run ? Optional.of(startOfRun.truncatedTo(ChronoUnit.SECONDS)) : fixed;
  }

  private static Optional<CreationTime> read(String text) {
    return switch (text.strip().toLowerCase(Locale.ROOT)) {
      case "none" -> Optional.of(NONE);
      case "run" -> Optional.of(new CreationTime(true, Optional.empty()));
      default -> time(text.strip());
    };
  }

  private static Optional<CreationTime> time(String text) {
    try {
      Instant time = OffsetDateTime.parse(text).toInstant().truncatedTo(ChronoUnit.SECONDS);
      return Optional.of(new CreationTime(false, Optional.of(time)));
    } catch (DateTimeException e) {
      return Optional.empty(); // the option says what a time must be
    }
  }

  private String text() {
    return run ? "run" : fixed.map(Instant::toString).orElse("none");
  }
}
