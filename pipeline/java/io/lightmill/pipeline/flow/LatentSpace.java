package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.ImageRequest;

/**
 * The shape of latents.
 *
 * @param channels of the noise
 * @param pixels along a latent's side
 * @param patch latents along the side of a transformer's token
 * @param packed whether diffusers' {@code latents=} argument is packed into tokens
 */
public record LatentSpace(int channels, int pixels, int patch, boolean packed) {

  /** The tokens of an image. */
  public TokenGrid grid(ImageRequest image) {
    int side = pixels * patch;
    return new TokenGrid(image.height() / side, image.width() / side, patch);
  }

  /** The shape of one image's noise. */
  long[] noiseShape(TokenGrid grid) {
    return new long[] {1, channels, grid.latentRows(), grid.latentColumns()};
  }

  /** The shape of diffusers' {@code latents=} argument. */
  long[] argumentShape(int images, TokenGrid grid) {
    return packed
        ? new long[] {images, grid.tokens(), (long) channels * patch * patch}
        : new long[] {images, channels, grid.latentRows(), grid.latentColumns()};
  }
}
