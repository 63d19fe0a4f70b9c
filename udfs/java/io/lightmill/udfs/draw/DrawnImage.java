package io.lightmill.udfs.draw;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.RgbImage;
import io.lightmill.pipeline.Screening;
import io.lightmill.pipeline.Verdict;
import java.util.List;

/**
 * An image as it leaves the engine.
 *
 * @param image null if drawing it failed; where a verdict blocks, null or meant for quarantine
 * @param failure null if it did not
 * @param verdicts of the image checks
 * @param screening scores and draws; null without classifier and scorer
 * @param generateMillis share of the batch's time on the engine
 */
record DrawnImage(
    RgbImage image,
    LightmillException failure,
    List<Verdict> verdicts,
    Screening screening,
    double generateMillis) {

  DrawnImage delayed(double millis) {
    return new DrawnImage(image, failure, verdicts, screening, generateMillis + millis);
  }

  /** The request with the seed that the image was drawn with. */
  ImageRequest drawn(ImageRequest request) {
    return screening == null
        ? request
        : screening.seed().map(seed -> request.toBuilder().seed(seed).build()).orElse(request);
  }
}
