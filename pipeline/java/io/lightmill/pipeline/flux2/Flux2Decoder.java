package io.lightmill.pipeline.flux2;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.schedule.TokenGrid;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.torch.Weights;
import io.lightmill.pipeline.vae.AutoencoderKl;

/**
 * Diffusers' {@code AutoencoderKLFlux2}: an AutoencoderKL whose latents, in patches, the
 * transformer sees under a batch norm.
 */
final class Flux2Decoder implements AutoCloseable {

  private final Flow flow;
  private final AutoencoderKl vae;
  private final Weights statistics;
  private final double eps;

  private Flux2Decoder(Flow flow, AutoencoderKl vae, Weights statistics, double eps) {
    this.flow = flow;
    this.vae = vae;
    this.statistics = statistics;
    this.eps = eps;
  }

  static Flux2Decoder load(Checkpoint checkpoint, WeightLoader loader, Flow flow) {
    ComponentConfig config = checkpoint.config("vae");
    try (Loading loading = new Loading()) {
      AutoencoderKl vae = loading.add(AutoencoderKl.load(checkpoint, loader));
      int channels = patchChannels(vae);
      WeightLayout layout =
          new WeightLayout()
              .unused(".*") // the autoencoder's own
              .tensor("bn.running_mean", channels)
              .tensor("bn.running_var", channels);
      Weights statistics = loading.add(loader.load(checkpoint.weights("vae"), layout));
      double eps = config.positive("batch_norm_eps", 1e-4);
      loading.complete();
      return new Flux2Decoder(flow, vae, statistics, eps);
    }
  }

  private static int patchChannels(AutoencoderKl vae) {
    return vae.config().latentChannels() * TokenGrid.PATCH * TokenGrid.PATCH;
  }

  /** Channels of a token: of a patch of latents. */
  int patchChannels() {
    return patchChannels(vae);
  }

  int scaleFactor() {
    return vae.config().scaleFactor();
  }

  /**
   * Decodes latents.
   *
   * @param latents {@code [batch, tokens, channels]} as the transformer leaves them
   * @return pixels {@code [batch, 3, height, width]} in [0, 1]
   */
  Tensor decode(Tensor latents, TokenGrid grid, TensorProbe probe) {
    try (Tensor patches = Flux2Transformer.NETWORK.tensor("denormalize", statistics, latents, eps);
        Tensor unpacked = flow.unpack(patches, grid.rows(), grid.columns())) {
      return vae.decode(unpacked, probe);
    }
  }

  @Override
  public void close() {
    statistics.close();
    vae.close();
  }
}
