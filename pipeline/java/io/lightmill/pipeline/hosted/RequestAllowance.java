package io.lightmill.pipeline.hosted;

import java.time.Duration;

/**
 * Grants requests, so that all processes together stay within a number of requests a minute, a
 * number at once and a maximum cost. Safe for several threads.
 */
public interface RequestAllowance {

  /** No limit. */
  RequestAllowance UNLIMITED =
      mostCost ->
          new Permit() {
            @Override
            public void sent() {}

            @Override
            public void answered(double cost, boolean lost) {}

            @Override
            public void unused() {}

            @Override
            public void pause(Duration time) {}

            @Override
            public void end(String reason) {}
          };

  /**
   * Waits until one request may be sent.
   *
   * @param mostCost that the request may have; 0 if unknown
   * @throws io.lightmill.pipeline.LightmillException with {@code REQUEST_NOT_SENT} if no further
   *     request may be sent
   */
  Permit acquire(double mostCost) throws InterruptedException;

  /** One request. It ends with {@link #answered} or {@link #unused}. */
  interface Permit {

    /** The request is sent: from now on it counts for a minute. */
    void sent();

    /**
     * The request is over.
     *
     * @param cost that is known or must be assumed
     * @param lost whether the answer was lost, so that the cost is an assumption
     */
    void answered(double cost, boolean lost);

    /** Nothing was sent. */
    void unused();

    /** The endpoint asks for a pause, which applies to all processes. */
    void pause(Duration time);

    /** The endpoint refuses every request: no further one is granted. */
    void end(String reason);
  }
}
