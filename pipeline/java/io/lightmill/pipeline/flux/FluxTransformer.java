package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.TokenGrid;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;

/** The network of {@code flux.py} with the weights of a checkpoint. */
final class FluxTransformer implements AutoCloseable {

  private static final ScriptModule NETWORK = ScriptModule.of("flux", "FluxTransformer2DModel");

  private final FluxConfig config;
  private final Device device;
  private final Weights weights;
  private final Weights doubleBlocks;
  private final Weights singleBlocks;

  private FluxTransformer(FluxConfig config, Device device, Weights weights) {
    this.config = config;
    this.device = device;
    this.weights = weights;
    this.doubleBlocks = weights.stack("transformer_blocks", config.doubleBlocks());
    this.singleBlocks = weights.stack("single_transformer_blocks", config.singleBlocks());
  }

  static FluxTransformer load(Checkpoint checkpoint, WeightLoader loader) {
    FluxConfig config = FluxConfig.of(checkpoint.config("transformer"));
    return new FluxTransformer(
        config, loader.device(), loader.load(checkpoint.weights("transformer"), config.layout()));
  }

  FluxConfig config() {
    return config;
  }

  /** The rotary table for a text and a picture. */
  Tensor rope(long textTokens, TokenGrid grid) {
    long[] widths = config.ropeWidths().stream().mapToLong(Long::longValue).toArray();
    return NETWORK.tensor("rope", textTokens, grid.rows(), grid.columns(), widths, device);
  }

  /**
   * The flow's velocity.
   *
   * @param latents {@code [batch, tokens, channels]}
   * @param timestep in [0, 1000], 1000 being pure noise
   * @param guidance {@code [batch]}, ignored by checkpoints without a guidance embedding
   */
  Tensor velocity(
      Tensor latents,
      FluxTextEncoders.Prompts prompts,
      double timestep,
      Tensor guidance,
      Tensor rope) {
    return NETWORK.tensor(
        "forward",
        weights,
        doubleBlocks,
        singleBlocks,
        latents,
        prompts.context(),
        prompts.pooled(),
        timestep,
        guidance,
        rope,
        config.heads());
  }

  @Override
  public void close() {
    singleBlocks.close();
    doubleBlocks.close();
    weights.close();
  }
}
