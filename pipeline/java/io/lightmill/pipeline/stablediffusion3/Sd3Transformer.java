package io.lightmill.pipeline.stablediffusion3;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.flow.Denoiser;
import io.lightmill.pipeline.flow.FlowStep;
import io.lightmill.pipeline.flow.PromptEmbeddings;
import io.lightmill.pipeline.flow.TokenGrid;
import io.lightmill.pipeline.torch.Handle;
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

  /** The transformer with these prompts. */
  Denoiser denoiser(PromptEmbeddings prompts, TokenGrid grid) {
    return new Prompted(prompts, grid);
  }

  private final class Prompted implements Denoiser {

    private final PromptEmbeddings prompts;
    private final TokenGrid grid;

    private Prompted(PromptEmbeddings prompts, TokenGrid grid) {
      this.prompts = prompts;
      this.grid = grid;
    }

    @Override
    public Tensor velocity(Tensor latents, FlowStep step) {
      return NETWORK.tensor(
          "forward",
          weights,
          blocks,
          latents,
          prompts.context(),
          prompts.pooled().orElseThrow(),
          step.timestep(),
          config.patchSize(),
          config.positions(),
          config.heads());
    }

    @Override
    public Handle embed(Tensor latents, FlowStep step) {
      return NETWORK.handle(
          "embed",
          weights,
          latents,
          prompts.context(),
          prompts.pooled().orElseThrow(),
          step.timestep(),
          config.patchSize(),
          config.positions());
    }

    @Override
    public Tensor modulated(Handle hidden) {
      return NETWORK.tensor("modulated", blocks, hidden);
    }

    @Override
    public Handle first(Handle hidden) {
      return NETWORK.handle("first", blocks, hidden, config.heads());
    }

    @Override
    public Tensor rest(Handle hidden, int done) {
      return NETWORK.tensor("rest", blocks, hidden, done, config.heads());
    }

    @Override
    public Tensor project(Tensor image, Handle hidden) {
      return NETWORK.tensor(
          "project", weights, image, hidden, grid.rows(), grid.columns(), config.patchSize());
    }

    @Override
    public void close() {} // holds nothing but the caller's prompts
  }

  @Override
  public void close() {
    blocks.close();
    weights.close();
  }
}
