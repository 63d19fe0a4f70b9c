package io.lightmill.pipeline;

import java.util.Optional;

/**
 * The result for one request of a batch: an image or a failure that no other image of the batch
 * shares.
 *
 * @param image empty if there is none
 * @param failure empty if there is an image
 */
public record ImageResult(Optional<RgbImage> image, Optional<LightmillException> failure) {

  public ImageResult {
    if (image.isPresent() == failure.isPresent()) {
      throw new IllegalArgumentException("a result is an image or a failure");
    }
  }

  public static ImageResult of(RgbImage image) {
    return new ImageResult(Optional.of(image), Optional.empty());
  }

  public static ImageResult failed(LightmillException failure) {
    return new ImageResult(Optional.empty(), Optional.of(failure));
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
