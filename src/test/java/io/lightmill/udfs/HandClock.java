package io.lightmill.udfs;

import java.io.Serializable;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** A clock that a test advances. Its serialized copies in this JVM show the same time. */
public final class HandClock extends Clock implements Serializable {

  private static final long serialVersionUID = 1L;

  private static final ConcurrentHashMap<UUID, Instant> TIMES = new ConcurrentHashMap<>();

  private final UUID id = UUID.randomUUID();

  public HandClock(Instant start) {
    TIMES.put(id, start);
  }

  public void advance(Duration duration) {
    TIMES.computeIfPresent(id, (clock, time) -> time.plus(duration));
  }

  @Override
  public Instant instant() {
    return TIMES.get(id);
  }

  @Override
  public ZoneId getZone() {
    return ZoneOffset.UTC;
  }

  @Override
  public Clock withZone(ZoneId zone) {
    throw new UnsupportedOperationException("a clock of tests has one time zone, UTC");
  }
}
