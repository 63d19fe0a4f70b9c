package io.lightmill.pipeline.schedule;

/**
 * The picture as a transformer sees it: a token for each patch of 2×2 latents.
 *
 * @param rows of tokens
 * @param columns of tokens
 */
public record TokenGrid(int rows, int columns) {

  /** Latents along a token's side. */
  public static final int PATCH = 2;

  /**
   * The grid of a picture.
   *
   * @param scaleFactor pixels along a latent's side
   */
  public static TokenGrid of(int width, int height, int scaleFactor) {
    return new TokenGrid(height / (scaleFactor * PATCH), width / (scaleFactor * PATCH));
  }

  public int tokens() {
    return rows * columns;
  }

  /** Latents from the picture's top to its bottom. */
  public int latentRows() {
    return rows * PATCH;
  }

  /** Latents from the picture's left to its right. */
  public int latentColumns() {
    return columns * PATCH;
  }
}
