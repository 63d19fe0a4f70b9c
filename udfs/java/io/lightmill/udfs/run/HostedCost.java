package io.lightmill.udfs.run;

import io.lightmill.pipeline.hosted.HostedEndpoint;
import io.lightmill.pipeline.hosted.TokenPrices;
import io.lightmill.udfs.estimate.CostEstimate;
import io.lightmill.udfs.option.Price;
import io.lightmill.udfs.plan.ImageWork;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.OptionalDouble;

/** The price of images of a hosted model, which take no time of a device. */
record HostedCost(HostedEndpoint endpoint, TokenPrices prices) implements CostEstimate {

  /** Prompts cost little beside images. */
  private static final int PROMPT_BYTES = 200;

  @Override
  public OptionalDouble deviceSeconds(ImageWork work) {
    return OptionalDouble.empty();
  }

  @Override
  public Optional<Price> price(ImageWork work) {
    OptionalDouble price =
        prices.expected(
            endpoint,
            new TokenPrices.RequestSize(work.width(), work.height(), PROMPT_BYTES));
    return price.isPresent()
        ? Optional.of(new Price(BigDecimal.valueOf(price.getAsDouble()), ""))
        : Optional.empty();
  }

  @Override
  public String basis() {
    return "the cost is unknown; give price-per-image or price-per-million-output-tokens";
  }

  @Override
  public Optional<String> rate() {
    return Optional.of("the prices of the options, in their currency");
  }
}
