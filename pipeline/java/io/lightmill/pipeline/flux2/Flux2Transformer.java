package io.lightmill.pipeline.flux2;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.flow.Denoiser;
import io.lightmill.pipeline.flow.FlowStep;
import io.lightmill.pipeline.flow.PromptEmbeddings;
import io.lightmill.pipeline.flow.RotaryTables;
import io.lightmill.pipeline.flow.TokenGrid;
import io.lightmill.pipeline.torch.Handle;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;

/** The network of {@code flux2.py} with the weights of a checkpoint. */
final class Flux2Transformer implements AutoCloseable {

  static final ScriptModule NETWORK = ScriptModule.of("flux2", "Flux2Transformer2DModel");

  private final Flux2Config config;
  private final Device device;
  private final Weights weights;
  private final Weights doubleBlocks;
  private final Weights singleBlocks;
  private final RotaryTables ropes = new RotaryTables();

  private Flux2Transformer(Flux2Config config, Device device, Weights weights) {
    this.config = config;
    this.device = device;
    this.weights = weights;
    this.doubleBlocks = weights.stack("transformer_blocks", config.doubleBlocks());
    this.singleBlocks = weights.stack("single_transformer_blocks", config.singleBlocks());
  }

  static Flux2Transformer load(Checkpoint checkpoint, WeightLoader loader) {
    Flux2Config config = Flux2Config.of(checkpoint.config("transformer"));
    return new Flux2Transformer(
        config, loader.device(), loader.load(checkpoint.weights("transformer"), config.layout()));
  }

  Flux2Config config() {
    return config;
  }

  /** The transformer with these prompts. */
  Denoiser denoiser(PromptEmbeddings prompts, TokenGrid grid) {
    long[] widths = config.ropeWidths().stream().mapToLong(Long::longValue).toArray();
    long textTokens = prompts.context().shape()[1];
    return new Prompted(
        prompts,
        ropes.of(
            grid,
            () ->
                NETWORK.tensor(
                    "rope",
                    textTokens,
                    grid.rows(),
                    grid.columns(),
                    widths,
                    config.ropeTheta(),
                    device),
            textTokens));
  }

  private final class Prompted implements Denoiser {

    private final PromptEmbeddings prompts;
    private final Tensor rope;

    private Prompted(PromptEmbeddings prompts, Tensor rope) {
      this.prompts = prompts;
      this.rope = rope;
    }

    @Override
    public Tensor velocity(Tensor latents, FlowStep step) {
      return NETWORK.tensor(
          "forward",
          weights,
          doubleBlocks,
          singleBlocks,
          latents,
          prompts.context(),
          step.timestep(),
          config.sinusoids(),
          rope,
          config.heads());
    }

    @Override
    public Handle embed(Tensor latents, FlowStep step) {
      return NETWORK.handle(
          "embed", weights, latents, prompts.context(), step.timestep(), config.sinusoids());
    }

    @Override
    public Tensor modulated(Handle hidden) {
      return NETWORK.tensor("modulated", weights, hidden);
    }

    @Override
    public Handle first(Handle hidden) {
      return NETWORK.handle("first", weights, doubleBlocks, hidden, rope, config.heads());
    }

    @Override
    public Tensor rest(Handle hidden, int done) {
      return NETWORK.tensor(
          "rest", weights, doubleBlocks, singleBlocks, hidden, done, rope, config.heads());
    }

    @Override
    public Tensor project(Tensor image, Handle hidden) {
      return NETWORK.tensor("project", weights, image, hidden);
    }

    @Override
    public void close() {
      rope.close();
    }
  }

  /** {@code [batch, channels, rows, columns]} to one token per latent. */
  static Tensor tokens(Tensor latents) {
    return NETWORK.tensor("tokens", latents);
  }

  @Override
  public void close() {
    ropes.close();
    singleBlocks.close();
    doubleBlocks.close();
    weights.close();
  }
}
