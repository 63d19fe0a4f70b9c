package io.lightmill.pipeline.flux;

/**
 * The picture as the transformer sees it: a token for each patch of 2×2 latents.
 *
 * @param rows of tokens
 * @param columns of tokens
 */
record FluxGrid(int rows, int columns) {

  /** Latents along a token's side. */
  static final int PATCH = 2;

  /**
   * The grid of a picture.
   *
   * @param scaleFactor pixels along a latent's side
   */
  static FluxGrid of(int width, int height, int scaleFactor) {
    return new FluxGrid(height / (scaleFactor * PATCH), width / (scaleFactor * PATCH));
  }

  int tokens() {
    return rows * columns;
  }
}
