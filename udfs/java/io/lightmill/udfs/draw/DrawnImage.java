package io.lightmill.udfs.draw;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;

/**
 * An image as it leaves the engine.
 *
 * @param image null if drawing it failed
 * @param failure null if it did not
 * @param generateMillis share of the batch's time on the engine
 * @param transformerCalls that it took; null if they are not counted
 */
record DrawnImage(
    RgbImage image, LightmillException failure, double generateMillis, Integer transformerCalls) {

  DrawnImage delayed(double millis) {
    return new DrawnImage(image, failure, generateMillis + millis, transformerCalls);
  }
}
