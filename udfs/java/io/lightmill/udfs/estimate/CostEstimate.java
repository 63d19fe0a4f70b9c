package io.lightmill.udfs.estimate;

import io.lightmill.udfs.option.Price;
import io.lightmill.udfs.plan.ImageWork;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What drawing images will take and cost. Devices of this cluster take time, which may have a
 * price; a provider of images could have a price for each image, and no device time.
 */
public interface CostEstimate {

  /** Nothing is known. */
  CostEstimate NONE = new DeviceCost(Optional.empty(), Optional.empty());

  /** Seconds of one device for an image; empty if they are unknown or no device draws. */
  OptionalDouble deviceSeconds(ImageWork work);

  /** The price of an image; empty if it is unknown. */
  Optional<Price> price(ImageWork work);

  /** Where the estimate is from, as a phrase. */
  String basis();

  /** What the price refers to, such as {@code 2.49 USD per device hour}. */
  Optional<String> rate();
}
