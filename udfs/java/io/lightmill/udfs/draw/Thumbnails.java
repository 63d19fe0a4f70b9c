package io.lightmill.udfs.draw;

import io.lightmill.pipeline.RgbImage;
import java.io.Serializable;
import java.util.Optional;

/** Makes small copies of images where these are drawn, so that they are not read again. */
@FunctionalInterface
public interface Thumbnails extends Serializable {

  /** No image gets a small copy. */
  Thumbnails NONE = (imageId, image) -> Optional.empty();

  /**
   * The file of a small copy.
   *
   * @return empty if no page shows this image
   */
  Optional<byte[]> of(String imageId, RgbImage image);
}
