package io.lightmill.pipeline.hosted;

import java.io.Serializable;
import java.time.Duration;
import java.util.Optional;

/**
 * How requests are sent.
 *
 * @param quality for endpoints with such a field, such as {@code high}; null to leave it out
 * @param connectTimeout for a connection
 * @param requestTimeout for one request, from its begin to the last byte of its answer
 * @param attempts at most for one image
 * @param retryTime no attempt begins after this time from the first one
 * @param firstPause before the second attempt; it doubles with each further one
 * @param proxy {@code host:port} of an HTTP proxy; null for the one of the JVM, if it has one
 * @param http2 whether to use HTTP/2 where the server does
 * @param prices of requests
 */
public record HostedSettings(
    String quality,
    Duration connectTimeout,
    Duration requestTimeout,
    int attempts,
    Duration retryTime,
    Duration firstPause,
    String proxy,
    boolean http2,
    TokenPrices prices)
    implements Serializable {

  /** Settings for most endpoints, without prices. */
  public static final HostedSettings STANDARD =
      new HostedSettings(
          null,
          Duration.ofSeconds(10),
          Duration.ofMinutes(3),
          8,
          Duration.ofMinutes(10),
          Duration.ofSeconds(1),
          null,
          true,
          TokenPrices.NONE);

  /** The quality to be sent. */
  public Optional<String> sentQuality() {
    return Optional.ofNullable(quality);
  }

  public HostedSettings withPrices(TokenPrices other) {
    return new HostedSettings(
        quality,
        connectTimeout,
        requestTimeout,
        attempts,
        retryTime,
        firstPause,
        proxy,
        http2,
        other);
  }

  /** These settings with other times. */
  public HostedSettings withTimes(Duration request, Duration retry, Duration pause) {
    return new HostedSettings(
        quality, connectTimeout, request, attempts, retry, pause, proxy, http2, prices);
  }
}
