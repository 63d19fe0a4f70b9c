package io.lightmill.pipeline.qwenimage;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.flow.Denoiser;
import io.lightmill.pipeline.flow.FlowStep;
import io.lightmill.pipeline.flow.Guidance;
import io.lightmill.pipeline.flow.PromptEmbeddings;
import io.lightmill.pipeline.flow.RotaryTables;
import io.lightmill.pipeline.flow.TokenGrid;
import io.lightmill.pipeline.text.QwenPrompts;
import io.lightmill.pipeline.torch.Handle;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.LongStream;

/** The network of {@code qwen_image.py} with the weights of a checkpoint. */
final class QwenImageTransformer implements AutoCloseable {

  private static final ScriptModule NETWORK =
      ScriptModule.of("qwen_image", "QwenImageTransformer2DModel");

  /** Classifier-free guidance after which each token has the norm of its positive velocity. */
  static final Guidance.Rule NORM_KEEPING =
      (negative, positive, weight, normLimit) ->
          NETWORK.tensor("guide", negative, positive, weight);

  private final QwenImageConfig config;
  private final Device device;
  private final Weights weights;
  private final Weights blocks;
  private final RotaryTables ropes = new RotaryTables();

  private QwenImageTransformer(QwenImageConfig config, Device device, Weights weights) {
    this.config = config;
    this.device = device;
    this.weights = weights;
    this.blocks = weights.stack("transformer_blocks", config.blocks());
  }

  static QwenImageTransformer load(Checkpoint checkpoint, WeightLoader loader) {
    QwenImageConfig config = QwenImageConfig.of(checkpoint.config("transformer"));
    return new QwenImageTransformer(
        config, loader.device(), loader.load(checkpoint.weights("transformer"), config.layout()));
  }

  QwenImageConfig config() {
    return config;
  }

  /**
   * What the transformer reads of encoded prompts.
   *
   * @param skipped tokens at the start of each, of the template
   * @param most tokens of each that are used
   */
  static PromptEmbeddings context(QwenPrompts prompts, int skipped, int most) {
    long[] lengths =
        Arrays.stream(prompts.lengths()).map(text -> Math.min(text - skipped, most)).toArray();
    return new PromptEmbeddings(
        NETWORK.tensor("context", prompts.states(), skipped, lengths), Optional.empty(), lengths);
  }

  /** The transformer with these prompts. */
  Denoiser denoiser(PromptEmbeddings prompts, TokenGrid grid) {
    long[] widths = config.ropeWidths().stream().mapToLong(Long::longValue).toArray();
    long textTokens = LongStream.of(prompts.lengths()).max().orElseThrow();
    return new Prompted(
        prompts,
        ropes.of(
            grid,
            () -> NETWORK.tensor("rope", textTokens, grid.rows(), grid.columns(), widths, device),
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
          blocks,
          latents,
          prompts.context(),
          prompts.lengths(),
          step.timestep(),
          rope,
          config.heads());
    }

    @Override
    public Handle embed(Tensor latents, FlowStep step) {
      return NETWORK.handle(
          "embed", weights, latents, prompts.context(), prompts.lengths(), step.timestep());
    }

    @Override
    public Tensor modulated(Handle hidden) {
      return NETWORK.tensor("modulated", blocks, hidden);
    }

    @Override
    public Handle first(Handle hidden) {
      return NETWORK.handle("first", blocks, hidden, rope, config.heads());
    }

    @Override
    public Tensor rest(Handle hidden, int done) {
      return NETWORK.tensor("rest", blocks, hidden, done, rope, config.heads());
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

  @Override
  public void close() {
    ropes.close();
    blocks.close();
    weights.close();
  }
}
