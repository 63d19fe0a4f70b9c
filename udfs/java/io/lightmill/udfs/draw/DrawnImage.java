package io.lightmill.udfs.draw;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.udfs.manifest.DeviceMillis;

/**
 * An image as it leaves the engine.
 *
 * @param image null if drawing it failed or was left out
 * @param failure null if it did not fail
 * @param millis null if drawing it was left out
 */
record DrawnImage(RgbImage image, LightmillException failure, DeviceMillis millis) {

  /** The run ends before this image. */
  static final DrawnImage LEFT_OUT = new DrawnImage(null, null, null);

  boolean isLeftOut() {
    return image == null && failure == null;
  }
}
