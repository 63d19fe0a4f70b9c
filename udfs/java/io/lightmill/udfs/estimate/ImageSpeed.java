package io.lightmill.udfs.estimate;

import io.lightmill.udfs.plan.ImageWork;

/** How long images take on a device. */
public interface ImageSpeed {

  /** Seconds of one device for one image. */
  double seconds(ImageWork work);

  /** Where the speed is from, as a phrase such as {@code measured by 24 images drawn now}. */
  String basis();

  /** A speed that is given as images per second. */
  static ImageSpeed ofImages(double perSecond) {
    return new GivenSpeed(work -> 1 / perSecond, "given images per second");
  }

  /** A speed that is given as seconds per step of a megapixel. */
  static ImageSpeed ofMegapixelSteps(double seconds) {
    return new GivenSpeed(
        work -> seconds * work.megapixels() * work.calls(), "given seconds per megapixel step");
  }
}
