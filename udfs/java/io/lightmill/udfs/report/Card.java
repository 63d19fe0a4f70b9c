package io.lightmill.udfs.report;

import java.util.Optional;

/**
 * One row of the manifest, as a {@link ContactSheetPage} shows it.
 *
 * @param id of the row in the prompt table
 * @param variant of the images asked for by that row, from 0
 * @param imageId identity of the image; empty for rows that got none
 * @param status of the manifest: {@code generated}, {@code reused}, ...
 * @param errorMessage why there is no picture
 * @param path of the picture, relative to the page, not encoded; empty where there is none
 * @param embedded the picture as a {@code data:} URI, where what stands at the path is no picture
 * @param prompt as it was asked for; empty where the row has none
 * @param seed as it was used
 * @param size of the picture; empty where it was never decided
 */
public record Card(
    String id,
    int variant,
    Optional<String> imageId,
    String status,
    Optional<String> errorMessage,
    Optional<String> path,
    Optional<String> embedded,
    Optional<String> prompt,
    Optional<Long> seed,
    Optional<Size> size) {

  /** A card whose picture is what stands at its path. */
  public Card(
      String id,
      int variant,
      Optional<String> imageId,
      String status,
      Optional<String> errorMessage,
      Optional<String> path,
      Optional<String> prompt,
      Optional<Long> seed,
      Optional<Size> size) {
    this(id, variant, imageId, status, errorMessage, path, Optional.empty(), prompt, seed, size);
  }

  /** In pixels. */
  public record Size(int width, int height) {}
}
