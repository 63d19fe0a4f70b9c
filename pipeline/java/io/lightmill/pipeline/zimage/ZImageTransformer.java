package io.lightmill.pipeline.zimage;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.TokenGrid;
import io.lightmill.pipeline.text.QwenPrompts;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;

/** The network of {@code z_image.py} with the weights of a checkpoint. */
final class ZImageTransformer implements AutoCloseable {

  private static final ScriptModule NETWORK =
      ScriptModule.of("z_image", "ZImageTransformer2DModel");

  /**
   * Prompts as the network meets them at every step of a picture.
   *
   * @param tokens refined, {@code [batch, tokens, width]}
   * @param lengths tokens of each that are text
   * @param rope rotary tables of picture and caption
   */
  @SuppressWarnings("ArrayRecordComponent") // an argument for the engine; never compared
  record Captions(Tensor tokens, long[] lengths, Tensor rope) implements AutoCloseable {

    @Override
    public void close() {
      rope.close();
      tokens.close();
    }
  }

  private final ZImageConfig config;
  private final Device device;
  private final long[] ropeWidths;
  private final Weights weights;
  private final Weights contextRefiner;
  private final Weights noiseRefiner;
  private final Weights layers;

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

  /** Refines prompts for pictures of this grid. */
  Captions captions(QwenPrompts prompts, TokenGrid grid) {
    Tensor tokens =
        NETWORK.tensor(
            "captions",
            weights,
            contextRefiner,
            prompts.states(),
            prompts.lengths(),
            ropeWidths,
            config.ropeTheta(),
            config.heads(),
            config.normEps());
    Tensor rope =
        NETWORK.tensor(
            "rope",
            prompts.lengths(),
            grid.rows(),
            grid.columns(),
            ropeWidths,
            config.ropeTheta(),
            device);
    return new Captions(tokens, prompts.lengths(), rope);
  }

  /**
   * What the network says of latents: against the flow's velocity.
   *
   * @param latents {@code [batch, channels, height, width]}
   * @param timestep in [0, 1000], 1000 being pure noise
   */
  Tensor out(Tensor latents, Captions captions, double timestep) {
    return NETWORK.tensor(
        "forward",
        weights,
        noiseRefiner,
        layers,
        latents,
        captions.tokens(),
        captions.lengths(),
        captions.rope(),
        timestep,
        config.timeScale(),
        config.heads(),
        config.normEps());
  }

  /** One picture's part of {@link #out}, {@code [channels, 1, height, width]}. */
  static Tensor part(Tensor out, int number) {
    return NETWORK.tensor("part", out, number);
  }

  /** The flow's velocity. */
  static Tensor velocity(Tensor out) {
    return NETWORK.tensor("velocity", out);
  }

  /**
   * The flow's velocity, guided: from {@code positive + scale * (positive - negative)}.
   *
   * @param scale {@code [batch]}, of which 0 guides nowhere
   * @param normLimit how many times the norm of the positive part a picture's may have; 0 for any
   */
  static Tensor guided(Tensor negative, Tensor positive, Tensor scale, double normLimit) {
    return NETWORK.tensor("guide", negative, positive, scale, normLimit);
  }

  @Override
  public void close() {
    layers.close();
    noiseRefiner.close();
    contextRefiner.close();
    weights.close();
  }
}
