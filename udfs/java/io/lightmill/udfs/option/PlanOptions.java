package io.lightmill.udfs.option;

import static io.lightmill.udfs.option.OptionGroup.PLAN;

import java.util.List;

/** What estimates of time and cost assume. */
public final class PlanOptions {

  private static final double MOST = 1e9;

  public static final Option<Double> IMAGES_PER_SECOND =
      Option.of(
          "images-per-second",
          speed(),
          "N",
          PLAN,
          "Estimate: images that one device draws in a second, whatever their size. By default the"
              + " speed is measured.");

  public static final Option<Double> SECONDS_PER_MEGAPIXEL_STEP =
      Option.of(
          "seconds-per-megapixel-step",
          speed(),
          "SECONDS",
          PLAN,
          "Estimate: seconds that one device takes for one step of an image of a million pixels,"
              + " twice with guidance. By default the speed is measured.");

  public static final Option<Price> DEVICE_HOUR_PRICE =
      Option.of(
          "device-hour-price",
          Price.TYPE,
          "PRICE",
          PLAN,
          "Estimate: price of one device for an hour, such as '2.49 USD'. A device is a GPU, or a"
              + " core of a CPU.");

  static final List<Option<?>> ALL =
      List.of(IMAGES_PER_SECOND, SECONDS_PER_MEGAPIXEL_STEP, DEVICE_HOUR_PRICE);

  private PlanOptions() {}

  private static OptionType<Double> speed() {
    return OptionType.decimal(Double.MIN_NORMAL, MOST, "a number above 0");
  }
}
