package io.lightmill.udfs.estimate;

import io.lightmill.udfs.plan.ImageWork;
import java.util.function.ToDoubleFunction;

/** A speed that the user gives. */
record GivenSpeed(ToDoubleFunction<ImageWork> time, String basis) implements ImageSpeed {

  @Override
  public double seconds(ImageWork work) {
    return time.applyAsDouble(work);
  }
}
