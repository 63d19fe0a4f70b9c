package io.lightmill.pipeline.hosted;

import java.io.Serializable;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Prices of requests, in any currency. Without a price, costs are unknown.
 *
 * @param perMillionInput of a million tokens of prompts; null if not given
 * @param perMillionOutput of a million tokens of images; null if not given
 * @param perImage of an image whose answer does not count tokens; null if not given
 * @param outputTokens greatest number of tokens of an image; null for that of the endpoint
 */
public record TokenPrices(
    Double perMillionInput, Double perMillionOutput, Double perImage, Long outputTokens)
    implements Serializable {

  /** No price is given. */
  public static final TokenPrices NONE = new TokenPrices(null, null, null, null);

  private static final double MILLION = 1_000_000;
  private static final int BYTES_PER_TOKEN = 4;

  /** Whether a price is given. */
  public boolean given() {
    return perMillionInput != null || perMillionOutput != null || perImage != null;
  }

  /** What prices refer to, such as {@code 19.5 per million output tokens}; empty without one. */
  public Optional<String> rate() {
    List<String> rates = new ArrayList<>();
    add(rates, perMillionInput, "per million input tokens");
    add(rates, perMillionOutput, "per million output tokens");
    add(rates, perImage, "per image");
    return rates.isEmpty() ? Optional.empty() : Optional.of(String.join(", ", rates));
  }

  private static void add(List<String> rates, Double price, String unit) {
    if (price != null) {
      rates.add(BigDecimal.valueOf(price).stripTrailingZeros().toPlainString() + " " + unit);
    }
  }

  private boolean ofTokens() {
    return perMillionInput != null || perMillionOutput != null;
  }

  /** Tokens of an answer. */
  record Usage(long input, long output) {}

  /** The price of a request that was answered with an image; empty without a price. */
  OptionalDouble cost(HostedEndpoint endpoint, RequestSize size, Usage usage) {
    if (usage != null && ofTokens()) {
      return OptionalDouble.of(ofTokens(usage.input(), usage.output()));
    }
    return expected(endpoint, size);
  }

  /** The price to be expected of a request. */
  public OptionalDouble expected(HostedEndpoint endpoint, RequestSize size) {
    return estimate(endpoint, size, (size.promptBytes() + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN);
  }

  /**
   * A price that no request should exceed: no token of a prompt is shorter than a byte.
   *
   * @return 0 without a price
   */
  double most(HostedEndpoint endpoint, RequestSize size) {
    return estimate(endpoint, size, size.promptBytes()).orElse(0);
  }

  private OptionalDouble estimate(HostedEndpoint endpoint, RequestSize size, long inputTokens) {
    if (!given()) {
      return OptionalDouble.empty();
    }
    if (perImage != null) {
      return OptionalDouble.of(perImage);
    }
    long output =
        outputTokens != null
            ? outputTokens
            : endpoint.protocol().outputTokens(size.width(), size.height());
    return OptionalDouble.of(ofTokens(inputTokens, output));
  }

  private double ofTokens(long input, long output) {
    return (input * or(perMillionInput) + output * or(perMillionOutput)) / MILLION;
  }

  private static double or(Double price) {
    return price == null ? 0 : price;
  }

  /**
   * What the price of a request depends on.
   *
   * @param promptBytes of the prompt in UTF-8
   */
  public record RequestSize(int width, int height, long promptBytes) {

    public static RequestSize of(int width, int height, String prompt) {
      return new RequestSize(width, height, prompt.getBytes(StandardCharsets.UTF_8).length);
    }
  }
}
