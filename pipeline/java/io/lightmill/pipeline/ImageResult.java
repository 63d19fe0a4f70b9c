package io.lightmill.pipeline;

import java.util.List;
import java.util.Optional;

/**
 * The result for one request of a batch: an image or a failure that no other image of the batch
 * shares, and the verdicts of the image checks.
 *
 * @param image empty if there is none; an image that a verdict blocks is either left out or meant
 *     for quarantine, and never to be stored beside the others
 * @param failure empty if there is an image, or if a verdict blocks it
 * @param verdicts on the prompt and on the image; empty for a failure
 * @param screening scores and draws; empty without classifier and scorer
 */
public record ImageResult(
    Optional<RgbImage> image,
    Optional<LightmillException> failure,
    List<Verdict> verdicts,
    Optional<Screening> screening) {

  public ImageResult {
    verdicts = List.copyOf(verdicts);
    boolean withoutImage = image.isEmpty() && !Verdict.block(verdicts);
    if (failure.isPresent() ? image.isPresent() || !verdicts.isEmpty() : withoutImage) {
      throw new IllegalArgumentException("a result is an image, a blocked image or a failure");
    }
  }

  public static ImageResult of(RgbImage image) {
    return new ImageResult(Optional.of(image), Optional.empty(), List.of(), Optional.empty());
  }

  public static ImageResult failed(LightmillException failure) {
    return new ImageResult(Optional.empty(), Optional.of(failure), List.of(), Optional.empty());
  }

  /** Whether a verdict blocks the image. */
  public boolean isBlocked() {
    return Verdict.block(verdicts);
  }

  /** The image; throws the failure, or {@code IMAGE_BLOCKED} if a verdict blocks it. */
  public RgbImage orElseThrow() {
    failure.ifPresent(
        e -> {
          throw e;
        });
    if (isBlocked()) {
      throw Verdict.deciding(verdicts).orElseThrow().refusal();
    }
    return image.orElseThrow();
  }
}
