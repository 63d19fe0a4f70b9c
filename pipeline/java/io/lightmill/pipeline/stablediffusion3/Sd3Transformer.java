package io.lightmill.pipeline.stablediffusion3;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;

/** The network of {@code stable_diffusion_3.py} with the weights of a checkpoint. */
final class Sd3Transformer implements AutoCloseable {

  static final ScriptModule NETWORK =
      ScriptModule.of("stable_diffusion_3", "SD3Transformer2DModel");

  private final Sd3Config config;
  private final Weights weights;
  private final Weights blocks;

  private Sd3Transformer(Sd3Config config, Weights weights) {
    this.config = config;
    this.weights = weights;
    this.blocks = weights.stack("transformer_blocks", config.blocks());
  }

  static Sd3Transformer load(Checkpoint checkpoint, WeightLoader loader) {
    Sd3Config config = Sd3Config.of(checkpoint.config("transformer"));
    return new Sd3Transformer(
        config, loader.load(checkpoint.weights("transformer"), config.layout()));
  }

  Sd3Config config() {
    return config;
  }

  /**
   * The flow's velocity.
   *
   * @param latents {@code [batch, channels, height, width]}
   * @param timestep in [0, 1000], 1000 being pure noise
   */
  Tensor velocity(Tensor latents, Sd3TextEncoders.Prompts prompts, double timestep) {
    return NETWORK.tensor(
        "forward",
        weights,
        blocks,
        latents,
        prompts.context(),
        prompts.pooled(),
        timestep,
        config.patchSize(),
        config.positions(),
        config.heads());
  }

  @Override
  public void close() {
    blocks.close();
    weights.close();
  }
}
