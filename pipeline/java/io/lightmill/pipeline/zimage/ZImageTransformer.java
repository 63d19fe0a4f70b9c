package io.lightmill.pipeline.zimage;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.flow.Denoiser;
import io.lightmill.pipeline.flow.FlowStep;
import io.lightmill.pipeline.flow.Guidance;
import io.lightmill.pipeline.flow.PromptEmbeddings;
import io.lightmill.pipeline.flow.RotaryTables;
import io.lightmill.pipeline.flow.TokenGrid;
import io.lightmill.pipeline.torch.Handle;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.torch.Weights;

/** The network of {@code z_image.py} with the weights of a checkpoint. */
final class ZImageTransformer implements AutoCloseable {

  private static final ScriptModule NETWORK =
      ScriptModule.of("z_image", "ZImageTransformer2DModel");

  /**
   * Classifier-free guidance {@code positive + weight * (positive - negative)} with a limit to each
   * image's norm.
   */
  static final Guidance.Rule NORM_LIMITED =
      (negative, positive, weight, normLimit) ->
          NETWORK.tensor("guide", negative, positive, weight, normLimit);

  private final ZImageConfig config;
  private final Device device;
  private final long[] ropeWidths;
  private final Weights weights;
  private final Weights contextRefiner;
  private final Weights noiseRefiner;
  private final Weights layers;
  private final RotaryTables ropes = new RotaryTables();

  private ZImageTransformer(ZImageConfig config, Device device, Weights weights) {
    this.config = config;
    this.device = device;
    this.ropeWidths = config.ropeWidths().stream().mapToLong(Long::longValue).toArray();
    this.weights = weights;
    this.contextRefiner = weights.stack("context_refiner", config.refinerLayers());
    this.noiseRefiner = weights.stack("noise_refiner", config.refinerLayers());
    this.layers = weights.stack("layers", config.layers());
  }

  static ZImageTransformer load(Checkpoint checkpoint, WeightLoader loader) {
    ZImageConfig config = ZImageConfig.of(checkpoint.config("transformer"));
    return new ZImageTransformer(
        config, loader.device(), loader.load(checkpoint.weights("transformer"), config.layout()));
  }

  ZImageConfig config() {
    return config;
  }

  /** The transformer with these prompts, which it refines once. */
  Denoiser denoiser(PromptEmbeddings prompts, TokenGrid grid) {
    try (Loading loading = new Loading()) {
      Tensor captions =
          loading.add(
              NETWORK.tensor(
                  "captions",
                  weights,
                  contextRefiner,
                  prompts.context(),
                  prompts.lengths(),
                  ropeWidths,
                  config.ropeTheta(),
                  config.heads(),
                  config.normEps()));
      Tensor rope =
          loading.add(
              ropes.of(
                  grid,
                  () ->
                      NETWORK.tensor(
                          "rope",
                          prompts.lengths(),
                          grid.rows(),
                          grid.columns(),
                          ropeWidths,
                          config.ropeTheta(),
                          device),
                  prompts.lengths()));
      loading.complete();
      return new Prompted(captions, prompts.lengths(), rope, grid);
    }
  }

  private final class Prompted implements Denoiser {

    private final Tensor captions;
    private final long[] lengths;
    private final Tensor rope;
    private final TokenGrid grid;

    private Prompted(Tensor captions, long[] lengths, Tensor rope, TokenGrid grid) {
      this.captions = captions;
      this.lengths = lengths;
      this.rope = rope;
      this.grid = grid;
    }

    @Override
    public Tensor velocity(Tensor latents, FlowStep step) {
      return NETWORK.tensor(
          "forward",
          weights,
          noiseRefiner,
          layers,
          latents,
          captions,
          lengths,
          rope,
          step.timestep(),
          config.timeScale(),
          config.heads(),
          config.normEps());
    }

    @Override
    public Handle embed(Tensor latents, FlowStep step) {
      return NETWORK.handle(
          "embed",
          weights,
          noiseRefiner,
          latents,
          captions,
          lengths,
          rope,
          step.timestep(),
          config.timeScale(),
          config.heads(),
          config.normEps());
    }

    @Override
    public Tensor modulated(Handle hidden) {
      return NETWORK.tensor("modulated", layers, hidden, grid.tokens(), config.normEps());
    }

    @Override
    public Handle first(Handle hidden) {
      return NETWORK.handle("first", layers, hidden, config.heads(), config.normEps());
    }

    @Override
    public Tensor rest(Handle hidden, int done) {
      return NETWORK.tensor("rest", layers, hidden, done, config.heads(), config.normEps());
    }

    @Override
    public Tensor project(Tensor image, Handle hidden) {
      return NETWORK.tensor("project", weights, image, hidden, grid.rows(), grid.columns());
    }

    /** diffusers calls its transformer once for both sides and gets one output per image. */
    @Override
    public void record(TensorProbe probe, Tensor velocity, int step, int side, int sides) {
      for (int i = 0; i < lengths.length; i++) {
        try (Tensor part = NETWORK.tensor("part", velocity, i)) {
          probe.record("tr.%d.out.%d".formatted(step, side * lengths.length + i), part);
        }
      }
    }

    @Override
    public void close() {
      rope.close();
      captions.close();
    }
  }

  @Override
  public void close() {
    ropes.close();
    layers.close();
    noiseRefiner.close();
    contextRefiner.close();
    weights.close();
  }
}
