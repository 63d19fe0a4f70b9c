package io.lightmill.udfs.estimate;

import io.lightmill.pipeline.hosted.HostedEndpoint;
import io.lightmill.pipeline.hosted.TokenPrices;
import io.lightmill.udfs.option.Price;
import io.lightmill.udfs.plan.ImageWork;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The price of requests to a hosted model, which take no time of a device.
 *
 * @param promptBytes of a prompt in UTF-8, on average
 */
public record HostedCost(HostedEndpoint endpoint, TokenPrices prices, long promptBytes)
    implements CostEstimate {

  @Override
  public OptionalDouble deviceSeconds(ImageWork work) {
    return OptionalDouble.empty();
  }

  @Override
  public Optional<Price> price(ImageWork work) {
    OptionalDouble expected =
        prices.expected(
            endpoint, new TokenPrices.RequestSize(work.width(), work.height(), promptBytes));
    return expected.isPresent()
        ? Optional.of(new Price(BigDecimal.valueOf(expected.getAsDouble()), ""))
        : Optional.empty();
  }

  @Override
  public String basis() {
    return "no price is given (--price-per-million-output-tokens, --price-per-image)";
  }

  @Override
  public Optional<String> rate() {
    return prices.rate();
  }
}
