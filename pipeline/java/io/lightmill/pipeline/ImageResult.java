package io.lightmill.pipeline;

import java.util.Optional;

/**
 * The result for one request of a batch: an image or a failure that no other image of the batch
 * shares, and the facts of its drawing.
 *
 * @param image empty if there is none; an image that a verdict blocks is either left out or meant
 *     for quarantine, and never to be stored beside the others
 * @param failure empty if there is an image, or if a verdict blocks it
 * @param facts without verdicts for a failure
 */
public record ImageResult(
    Optional<RgbImage> image, Optional<LightmillException> failure, DrawingFacts facts) {

  public ImageResult {
    boolean withoutImage = image.isEmpty() && !facts.isBlocked();
    if (failure.isPresent() ? image.isPresent() || facts.isBlocked() : withoutImage) {
      throw new IllegalArgumentException("a result is an image, a blocked image or a failure");
    }
  }

  public static ImageResult of(RgbImage image) {
    return of(image, DrawingFacts.NONE);
  }

  public static ImageResult of(RgbImage image, DrawingFacts facts) {
    return new ImageResult(Optional.of(image), Optional.empty(), facts);
  }

  public static ImageResult failed(LightmillException failure) {
    return failed(failure, DrawingFacts.NONE);
  }

  public static ImageResult failed(LightmillException failure, DrawingFacts facts) {
    return new ImageResult(Optional.empty(), Optional.of(failure), facts);
  }

  /**
   * An image that is not there since a verdict blocks it.
   *
   * @param facts with a verdict that blocks
   */
  public static ImageResult blocked(DrawingFacts facts) {
    return new ImageResult(Optional.empty(), Optional.empty(), facts);
  }

  /** The image; throws the failure, or {@code IMAGE_BLOCKED} if a verdict blocks it. */
  public RgbImage orElseThrow() {
    failure.ifPresent(
        e -> {
          throw e;
        });
    if (facts.isBlocked()) {
      throw facts.deciding().refusal();
    }
    return image.orElseThrow();
  }
}
