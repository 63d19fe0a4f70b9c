package io.lightmill.udfs.draw;

import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.udfs.manifest.DeviceMillis;

/**
 * An image as it leaves the engine.
 *
 * @param image null if drawing it failed or was left out; where a verdict blocks, null or meant for
 *     quarantine
 * @param failure null if it did not fail
 * @param millis null if drawing it was left out
 */
record DrawnImage(
    RgbImage image, LightmillException failure, DrawingFacts facts, DeviceMillis millis) {

  /** The run ends before this image. */
  static final DrawnImage LEFT_OUT = new DrawnImage(null, null, DrawingFacts.NONE, null);

  boolean isLeftOut() {
    return millis == null;
  }
}
