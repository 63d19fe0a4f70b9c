package io.lightmill.udfs.draw;

import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;

/**
 * An image as it leaves the engine.
 *
 * @param image null if drawing it failed; where a verdict blocks, null or meant for quarantine
 * @param failure null if it did not
 * @param generateMillis share of the batch's time on the engine
 */
record DrawnImage(
    RgbImage image, LightmillException failure, DrawingFacts facts, double generateMillis) {

  DrawnImage delayed(double millis) {
    return new DrawnImage(image, failure, facts, generateMillis + millis);
  }
}
