package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;

/**
 * The tokens of an image: one for each square patch of latents.
 *
 * @param rows of tokens
 * @param columns of tokens
 * @param patch latents along a token's side
 */
public record TokenGrid(int rows, int columns, int patch) {

  /** Latents along a token's side, for all transformers but some of Stable Diffusion 3. */
  public static final int PATCH = 2;

  private static final ScriptModule SCRIPT = ScriptModule.of("flow", "Flow");

  public int tokens() {
    return rows * columns;
  }

  /** Latents from the image's top to its bottom. */
  public int latentRows() {
    return rows * patch;
  }

  /** Latents from the image's left to its right. */
  public int latentColumns() {
    return columns * patch;
  }

  /**
   * Packs latents into tokens of 2×2 latents; closes the argument.
   *
   * @param latents {@code [batch, channels, height, width]}
   * @return {@code [batch, height/2 * width/2, 4 * channels]}
   */
  public static Tensor pack(Tensor latents) {
    try (latents) {
      return SCRIPT.tensor("pack", latents);
    }
  }

  /** The inverse of {@link #pack}; the argument stays the caller's. */
  public Tensor unpack(Tensor tokens) {
    return SCRIPT.tensor("unpack", tokens, rows, columns);
  }
}
