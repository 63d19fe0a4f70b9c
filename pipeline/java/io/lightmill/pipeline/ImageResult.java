package io.lightmill.pipeline;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * The result for one request of a batch: an image or a failure that no other image of the batch
 * shares.
 *
 * @param image empty if there is none
 * @param failure empty if there is an image
 * @param transformerCalls evaluations of the transformer's blocks that the image took, both sides
 *     of guidance counted; empty if the pipeline does not count them
 */
public record ImageResult(
    Optional<RgbImage> image, Optional<LightmillException> failure, OptionalInt transformerCalls) {

  public ImageResult {
    if (image.isPresent() == failure.isPresent()) {
      throw new IllegalArgumentException("a result is an image or a failure");
    }
  }

  public static ImageResult of(RgbImage image) {
    return new ImageResult(Optional.of(image), Optional.empty(), OptionalInt.empty());
  }

  public static ImageResult of(RgbImage image, int transformerCalls) {
    return new ImageResult(Optional.of(image), Optional.empty(), OptionalInt.of(transformerCalls));
  }

  public static ImageResult failed(LightmillException failure) {
    return new ImageResult(Optional.empty(), Optional.of(failure), OptionalInt.empty());
  }

  /** The image; throws the failure if there is none. */
  public RgbImage orElseThrow() {
    failure.ifPresent(
        e -> {
          throw e;
        });
    return image.orElseThrow();
  }
}
