package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.Loading;
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
import java.util.Arrays;
import java.util.List;

/** The network of {@code flux.py} with the weights of a checkpoint. */
final class FluxTransformer implements AutoCloseable {

  private static final ScriptModule NETWORK = ScriptModule.of("flux", "FluxTransformer2DModel");

  /**
   * Steps whose modulations are computed at once. Those of FLUX.1 dev take 17 MB an image in 16
   * bits.
   */
  private static final int STEPS_AT_ONCE = 8;

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
  Denoiser denoiser(
      PromptEmbeddings prompts, List<ImageRequest> batch, TokenGrid grid, float[] timesteps) {
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
      Tensor text = loading.add(NETWORK.tensor("text_tokens", weights, prompts.context()));
      loading.complete();
      return new Prompted(text, prompts.pooled().orElseThrow(), scales, rope, timesteps);
    }
  }

  private final class Prompted implements Denoiser {

    private final Tensor text;
    private final Tensor pooled;
    private final Tensor guidance;
    private final Tensor rope;
    private final float[] timesteps;

    /** What modulates the steps from the first one on; null before. */
    private Tensor conditions;

    private int first;

    private Prompted(Tensor text, Tensor pooled, Tensor guidance, Tensor rope, float[] timesteps) {
      this.text = text;
      this.pooled = pooled;
      this.guidance = guidance;
      this.rope = rope;
      this.timesteps = timesteps;
    }

    @Override
    public Tensor velocity(Tensor latents, FlowStep step) {
      return NETWORK.tensor(
          "forward",
          weights,
          doubleBlocks,
          singleBlocks,
          latents,
          text,
          conditions(step.number()),
          step.number() - first,
          rope,
          config.heads());
    }

    @Override
    public Handle embed(Tensor latents, FlowStep step) {
      return NETWORK.handle(
          "embed", weights, latents, text, conditions(step.number()), step.number() - first);
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

    /** The conditions that hold this step's at index {@code step - first}. */
    private Tensor conditions(int step) {
      if (conditions == null || step < first || step >= first + STEPS_AT_ONCE) {
        closeConditions();
        first = step - step % STEPS_AT_ONCE;
        int end = Math.min(first + STEPS_AT_ONCE, timesteps.length);
        float[] some = Arrays.copyOfRange(timesteps, first, end);
        try (Tensor times = Tensor.of(some, device, DType.F32)) {
          conditions =
              NETWORK.tensor(
                  "conditions", weights, doubleBlocks, singleBlocks, times, pooled, guidance);
        }
      }
      return conditions;
    }

    private void closeConditions() {
      if (conditions != null) {
        conditions.close();
        conditions = null;
      }
    }

    @Override
    public void close() {
      closeConditions();
      text.close();
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
