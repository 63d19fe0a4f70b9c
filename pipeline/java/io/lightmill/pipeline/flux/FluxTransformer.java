package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.flow.Denoiser;
import io.lightmill.pipeline.flow.PromptEmbeddings;
import io.lightmill.pipeline.flow.RotaryTables;
import io.lightmill.pipeline.flow.TokenGrid;
import io.lightmill.pipeline.torch.Handle;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.util.List;

/** The network of {@code flux.py} with the weights of a checkpoint. */
final class FluxTransformer implements AutoCloseable {

  private static final ScriptModule NETWORK = ScriptModule.of("flux", "FluxTransformer2DModel");

  private final FluxConfig config;
  private final Device device;
  private final DType dtype;
  private final Weights weights;
  private final Weights doubleBlocks;
  private final Weights singleBlocks;
  private final RotaryTables ropes = new RotaryTables();

  private FluxTransformer(FluxConfig config, WeightLoader loader, Weights weights) {
    this.config = config;
    this.device = loader.device();
    this.dtype = loader.dtype();
    this.weights = weights;
    this.doubleBlocks = weights.stack("transformer_blocks", config.doubleBlocks());
    this.singleBlocks = weights.stack("single_transformer_blocks", config.singleBlocks());
  }

  static FluxTransformer load(Checkpoint checkpoint, WeightLoader loader) {
    FluxConfig config = FluxConfig.of(checkpoint.config("transformer"));
    return new FluxTransformer(
        config, loader, loader.load(checkpoint.weights("transformer"), config.layout()));
  }

  FluxConfig config() {
    return config;
  }

  /**
   * The transformer with these prompts. Checkpoints without a guidance embedding ignore {@code
   * guidance_scale}.
   */
  Denoiser denoiser(PromptEmbeddings prompts, List<ImageRequest> batch, TokenGrid grid) {
    float[] guidance = new float[batch.size()];
    for (int i = 0; i < guidance.length; i++) {
      guidance[i] = (float) batch.get(i).guidanceScale();
    }
    long[] widths = config.ropeWidths().stream().mapToLong(Long::longValue).toArray();
    long textTokens = prompts.context().shape()[1];
    try (Loading loading = new Loading()) {
      Tensor scales = loading.add(Tensor.of(guidance, device, dtype));
      Tensor rope =
          loading.add(
              ropes.of(
                  grid,
                  () ->
                      NETWORK.tensor(
                          "rope", textTokens, grid.rows(), grid.columns(), widths, device),
                  textTokens));
      loading.complete();
      return new Prompted(prompts, scales, rope);
    }
  }

  private final class Prompted implements Denoiser {

    private final PromptEmbeddings prompts;
    private final Tensor guidance;
    private final Tensor rope;

    private Prompted(PromptEmbeddings prompts, Tensor guidance, Tensor rope) {
      this.prompts = prompts;
      this.guidance = guidance;
      this.rope = rope;
    }

    @Override
    public Tensor velocity(Tensor latents, double timestep) {
      return NETWORK.tensor(
          "forward",
          weights,
          doubleBlocks,
          singleBlocks,
          latents,
          prompts.context(),
          prompts.pooled().orElseThrow(),
          timestep,
          guidance,
          rope,
          config.heads());
    }

    @Override
    public Handle embed(Tensor latents, double timestep) {
      return NETWORK.handle(
          "embed",
          weights,
          latents,
          prompts.context(),
          prompts.pooled().orElseThrow(),
          timestep,
          guidance);
    }

    @Override
    public Tensor modulated(Handle hidden) {
      return NETWORK.tensor("modulated", doubleBlocks, hidden);
    }

    @Override
    public Handle first(Handle hidden) {
      return NETWORK.handle("first", doubleBlocks, hidden, rope, config.heads());
    }

    @Override
    public Tensor rest(Handle hidden, int done) {
      return NETWORK.tensor("rest", doubleBlocks, singleBlocks, hidden, done, rope, config.heads());
    }

    @Override
    public Tensor project(Tensor image, Handle hidden) {
      return NETWORK.tensor("project", weights, image, hidden);
    }

    @Override
    public void close() {
      rope.close();
      guidance.close();
    }
  }

  @Override
  public void close() {
    ropes.close();
    singleBlocks.close();
    doubleBlocks.close();
    weights.close();
  }
}
