package io.lightmill.udfs.store;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;

/**
 * The time of a store, which sets the modification times of objects.
 *
 * @param now when the store was asked
 * @param ahead by how much the store's clock is ahead of the clock of this host
 */
public record StoreTime(Instant now, Duration ahead) {

  /**
   * The clock of the store. Hosts whose own clocks differ agree on it.
   *
   * @param host clock of this host
   */
  public Clock clock(Clock host) {
    return Clock.offset(host, ahead);
  }
}
