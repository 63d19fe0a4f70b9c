package io.lightmill.udfs.report;

import io.lightmill.udfs.ImageStatus;
import java.util.Optional;

/**
 * One row of the manifest, as a {@link ContactSheetPage} shows it.
 *
 * @param id of the row in the prompt table
 * @param variant of the images of that row, from 0
 * @param imageId identity of the image; empty for rows without one
 * @param status of the manifest
 * @param errorMessage why there is no image
 * @param flag what the policy found in a row that it does not block
 * @param path of the image, relative to the page, not encoded; empty where there is none
 * @param embedded the image as a {@code data:} URI, where the object at the path is a shard
 * @param prompt of the row; empty where it has none
 * @param seed that was used
 * @param size of the image; empty where it was not decided
 */
public record Card(
    String id,
    int variant,
    Optional<String> imageId,
    ImageStatus status,
    Optional<String> errorMessage,
    Optional<String> flag,
    Optional<String> path,
    Optional<String> embedded,
    Optional<String> prompt,
    Optional<Long> seed,
    Optional<Size> size) {

  /** A card whose image is the object at its path. */
  public Card(
      String id,
      int variant,
      Optional<String> imageId,
      ImageStatus status,
      Optional<String> errorMessage,
      Optional<String> path,
      Optional<String> prompt,
      Optional<Long> seed,
      Optional<Size> size) {
    this(
        id,
        variant,
        imageId,
        status,
        errorMessage,
        Optional.empty(),
        path,
        Optional.empty(),
        prompt,
        seed,
        size);
  }

  /** In pixels. */
  public record Size(int width, int height) {}
}
