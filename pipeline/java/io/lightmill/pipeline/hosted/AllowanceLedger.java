package io.lightmill.pipeline.hosted;

import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Decides which requests may be sent. In any minute, as the endpoint counts, it grants no more
 * requests than it may: a request counts from its grant until a minute and a second after it was
 * sent, or was over. A request whose process does not report for too long is over, and counts as
 * sent, with the most that it may cost.
 *
 * <p>Grants have names that their requesters choose, so that a repeated question gets one grant.
 */
public final class AllowanceLedger {

  private static final long WINDOW = Duration.ofSeconds(61).toNanos();
  private static final long SHORTEST_WAIT = Duration.ofMillis(5).toMillis();
  private static final long LONGEST_WAIT = Duration.ofMillis(500).toMillis();
  private static final long NANOS_PER_MILLI = 1_000_000;

  /**
   * Limits of all processes together.
   *
   * @param perMinute requests in any minute; 0 for any number
   * @param atOnce requests that are not answered yet; 0 for any number
   * @param maxCost of all requests; infinite for none
   * @param lease after this time a request is over, whatever its process reports
   */
  public record Limits(int perMinute, int atOnce, double maxCost, Duration lease) {}

  /** Sums over all requests so far. */
  public record Totals(long requests, double cost, double lostCost) {}

  /**
   * The decision on a request.
   *
   * @param granted whether it may be sent
   * @param waitMillis when to ask again; 0 if it is granted or refused
   * @param refusal why no further request is granted; null if there may be one
   */
  public record Reply(boolean granted, long waitMillis, String refusal) implements Serializable {

    static final Reply GRANTED = new Reply(true, 0, null);

    /** No further request is granted. */
    public static Reply refused(String reason) {
      return new Reply(false, 0, reason);
    }

    static Reply after(long nanos) {
      return new Reply(
          false,
          Math.min(LONGEST_WAIT, Math.max(SHORTEST_WAIT, nanos / NANOS_PER_MILLI + 1)),
          null);
    }
  }

  /** A granted request. Its place in the window is free at {@code freeAt}. */
  private static final class Grant {

    private final double mostCost;
    private final long grantedAt;
    private long freeAt = Long.MAX_VALUE;

    Grant(double mostCost, long grantedAt) {
      this.mostCost = mostCost;
      this.grantedAt = grantedAt;
    }
  }

  private final Limits limits;
  private final LongSupplier nanoTime;
  private final Map<String, Grant> open = new HashMap<>();
  private final Deque<Grant> window = new ArrayDeque<>();
  private long pausedUntil;
  private boolean paused;
  private String refusal;
  private long requests;
  private double cost;
  private double lostCost;
  private double highestCost;

  /**
   * @param nanoTime as {@link System#nanoTime}
   */
  public AllowanceLedger(Limits limits, LongSupplier nanoTime) {
    this.limits = limits;
    this.nanoTime = nanoTime;
  }

  /** Asks for one request. */
  public synchronized Reply ask(String name, double mostCost) {
    long now = nanoTime.getAsLong();
    expire(now);
    if (open.containsKey(name)) {
      return Reply.GRANTED;
    }
    if (refusal != null) {
      return Reply.refused(refusal);
    }
    if (paused && now - pausedUntil < 0) {
      return Reply.after(pausedUntil - now);
    }
    if (limits.atOnce() > 0 && open.size() >= limits.atOnce()) {
      return Reply.after(0);
    }
    if (limits.perMinute() > 0 && window.size() >= limits.perMinute()) {
      return Reply.after(untilFree(now));
    }
    double reserved = Math.max(mostCost, mostCost > 0 ? highestCost : 0);
    if (cost + lostCost + reservedCost() + reserved > limits.maxCost()) {
      if (!open.isEmpty()) {
        return Reply.after(LONGEST_WAIT * NANOS_PER_MILLI); // these may cost less than is reserved
      }
      end(
          "the maximum cost of %s is reached: %.4f is spent, and one more image may cost %.4f; raise --max-cost and run again"
              .formatted(limits.maxCost(), cost + lostCost, reserved));
      return Reply.refused(refusal);
    }
    Grant grant = new Grant(reserved, now);
    open.put(name, grant);
    window.add(grant);
    requests++;
    return Reply.GRANTED;
  }

  private double reservedCost() {
    return open.values().stream().mapToDouble(grant -> grant.mostCost).sum();
  }

  private long untilFree(long now) {
    long least = LONGEST_WAIT * NANOS_PER_MILLI;
    for (Grant grant : window) {
      if (grant.freeAt != Long.MAX_VALUE) {
        least = Math.min(least, grant.freeAt - now);
      }
    }
    return least;
  }

  private void expire(long now) {
    open.values()
        .removeIf(
            grant -> {
              boolean lost = now - grant.grantedAt >= limits.lease().toNanos();
              if (lost) {
                lostCost += grant.mostCost;
                free(grant, now);
              }
              return lost;
            });
    window.removeIf(grant -> grant.freeAt != Long.MAX_VALUE && now - grant.freeAt >= 0);
  }

  private static void free(Grant grant, long now) {
    if (grant.freeAt == Long.MAX_VALUE) {
      grant.freeAt = now + WINDOW;
    }
  }

  /** A request is sent. */
  public synchronized void sent(String name) {
    Optional.ofNullable(open.get(name)).ifPresent(grant -> free(grant, nanoTime.getAsLong()));
  }

  /**
   * A request is over.
   *
   * @param price of the request
   * @param lost whether its answer was lost, so that the price is an assumption
   */
  public synchronized void answered(String name, double price, boolean lost) {
    Grant grant = open.remove(name);
    if (grant == null) {
      return; // the lease ended, and it was counted then
    }
    free(grant, nanoTime.getAsLong());
    if (lost) {
      lostCost += price;
    } else {
      cost += price;
      highestCost = Math.max(highestCost, price);
    }
  }

  /** Nothing was sent for a grant. */
  public synchronized void unused(String name) {
    Grant grant = open.remove(name);
    if (grant != null) {
      window.remove(grant);
      requests--;
    }
  }

  /** Grants nothing for some time. */
  public synchronized void pause(Duration time) {
    long until = nanoTime.getAsLong() + time.toNanos();
    if (!paused || until - pausedUntil > 0) {
      paused = true;
      pausedUntil = until;
    }
  }

  /** Grants no further request. */
  public synchronized void end(String reason) {
    if (refusal == null) {
      refusal = reason;
    }
  }

  /** Why no further request is granted. */
  public synchronized Optional<String> ended() {
    return Optional.ofNullable(refusal);
  }

  public synchronized Totals totals() {
    expire(nanoTime.getAsLong());
    return new Totals(requests, cost, lostCost);
  }
}
