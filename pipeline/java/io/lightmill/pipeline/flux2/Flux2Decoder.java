package io.lightmill.pipeline.flux2;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.flow.TokenGrid;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.torch.Weights;
import io.lightmill.pipeline.vae.AutoencoderKl;

/**
 * Diffusers' {@code AutoencoderKLFlux2}: an AutoencoderKL whose latents, in patches, are
 * batch-normalised for the transformer.
 */
final class Flux2Decoder implements AutoCloseable {

  private final AutoencoderKl vae;
  private final Weights statistics;
  private final double eps;

  private Flux2Decoder(AutoencoderKl vae, Weights statistics, double eps) {
    this.vae = vae;
    this.statistics = statistics;
    this.eps = eps;
  }

  static Flux2Decoder load(Checkpoint checkpoint, WeightLoader loader) {
    ComponentConfig config = checkpoint.config("vae");
    try (Loading loading = new Loading()) {
      AutoencoderKl vae = loading.add(AutoencoderKl.load(checkpoint, loader));
      WeightLayout layout =
          statistics(new WeightLayout().unused(".*"), vae.config()); // the rest is the vae's own
      Weights statistics = loading.add(loader.load(checkpoint.weights("vae"), layout));
      double eps = config.positive("batch_norm_eps", 1e-4);
      loading.complete();
      return new Flux2Decoder(vae, statistics, eps);
    }
  }

  /** The weights of the component {@code vae} that are used. */
  static WeightLayout layout(Checkpoint checkpoint) {
    return statistics(AutoencoderKl.layout(checkpoint), AutoencoderKl.config(checkpoint));
  }

  private static WeightLayout statistics(WeightLayout layout, AutoencoderKl.Config config) {
    int channels = patchChannels(config);
    return layout.tensor("bn.running_mean", channels).tensor("bn.running_var", channels);
  }

  private static int patchChannels(AutoencoderKl.Config config) {
    return config.latentChannels() * TokenGrid.PATCH * TokenGrid.PATCH;
  }

  /** Channels of a token: of a patch of latents. */
  int patchChannels() {
    return patchChannels(vae.config());
  }

  /** Pixels along the side of a patch. */
  int patchPixels() {
    return vae.config().scaleFactor() * TokenGrid.PATCH;
  }

  /**
   * Decodes latents.
   *
   * @param latents {@code [batch, tokens, channels]} as the transformer leaves them
   * @return pixels {@code [batch, 3, height, width]} in [0, 1]
   */
  Tensor decode(Tensor latents, TokenGrid grid, TensorProbe probe) {
    try (Tensor patches = Flux2Transformer.NETWORK.tensor("denormalize", statistics, latents, eps);
        Tensor unpacked = grid.unpack(patches)) {
      return vae.decode(unpacked, probe);
    }
  }

  @Override
  public void close() {
    statistics.close();
    vae.close();
  }
}
