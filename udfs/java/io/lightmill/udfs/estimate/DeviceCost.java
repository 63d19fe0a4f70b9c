package io.lightmill.udfs.estimate;

import io.lightmill.udfs.option.Price;
import io.lightmill.udfs.plan.ImageWork;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The time of devices, at a price for each hour.
 *
 * @param speed of one device; empty if it is unknown
 * @param hour price of a device for an hour; empty if it is unknown
 */
public record DeviceCost(Optional<ImageSpeed> speed, Optional<Price> hour) implements CostEstimate {

  private static final double SECONDS_PER_HOUR = 3600;

  @Override
  public OptionalDouble deviceSeconds(ImageWork work) {
    return speed
        .map(known -> OptionalDouble.of(known.seconds(work)))
        .orElseGet(OptionalDouble::empty);
  }

  @Override
  public Optional<Price> price(ImageWork work) {
    return speed.flatMap(
        known -> hour.map(price -> price.times(known.seconds(work) / SECONDS_PER_HOUR)));
  }

  @Override
  public String basis() {
    return speed
        .map(ImageSpeed::basis)
        .orElse("device time is unknown, since no run has measured it; 'lightmill plan' does");
  }

  @Override
  public Optional<String> rate() {
    return hour.map(price -> price + " per device hour");
  }
}
