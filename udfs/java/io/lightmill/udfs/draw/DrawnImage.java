package io.lightmill.udfs.draw;

import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.Screening;

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

  /** The request with the seed that the image was drawn with. */
  ImageRequest drawn(ImageRequest request) {
    return facts
        .screening()
        .flatMap(Screening::seed)
        .map(seed -> request.toBuilder().seed(seed).build())
        .orElse(request);
  }
}
