package io.lightmill.udfs.draw;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.Verdict;
import java.util.List;

/**
 * An image as it leaves the engine.
 *
 * @param image null if drawing it failed; where a verdict blocks, null or meant for quarantine
 * @param failure null if it did not
 * @param verdicts of the image checks
 * @param generateMillis share of the batch's time on the engine
 */
record DrawnImage(
    RgbImage image, LightmillException failure, List<Verdict> verdicts, double generateMillis) {

  DrawnImage delayed(double millis) {
    return new DrawnImage(image, failure, verdicts, generateMillis + millis);
  }
}
