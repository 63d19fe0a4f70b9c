package io.lightmill.pipeline.qwenimage;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.TokenGrid;
import io.lightmill.pipeline.text.QwenPrompts;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.util.Arrays;
import java.util.stream.LongStream;

/** The network of {@code qwen_image.py} with the weights of a checkpoint. */
final class QwenImageTransformer implements AutoCloseable {

  private static final ScriptModule NETWORK =
      ScriptModule.of("qwen_image", "QwenImageTransformer2DModel");

  /**
   * Prompts as the network meets them at every step of a picture.
   *
   * @param context {@code [batch, tokens, width]}
   * @param lengths tokens of each that are text
   * @param rope rotary table of text and picture
   */
  @SuppressWarnings("ArrayRecordComponent") // an argument for the engine; never compared
  record Texts(Tensor context, long[] lengths, Tensor rope) implements AutoCloseable {

    @Override
    public void close() {
      rope.close();
      context.close();
    }
  }

  private final QwenImageConfig config;
  private final Device device;
  private final Weights weights;
  private final Weights blocks;

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
   * Prepares prompts for pictures of this grid.
   *
   * @param skipped tokens that each begins with and that the network does not read
   * @param most tokens that it reads
   */
  Texts texts(QwenPrompts prompts, int skipped, int most, TokenGrid grid) {
    long[] lengths =
        Arrays.stream(prompts.lengths()).map(text -> Math.min(text - skipped, most)).toArray();
    Tensor context = NETWORK.tensor("context", prompts.states(), skipped, lengths);
    Tensor rope =
        NETWORK.tensor(
            "rope",
            LongStream.of(lengths).max().orElseThrow(),
            grid.rows(),
            grid.columns(),
            config.ropeWidths().stream().mapToLong(Long::longValue).toArray(),
            device);
    return new Texts(context, lengths, rope);
  }

  /**
   * The flow's velocity.
   *
   * @param latents {@code [batch, tokens, channels]}
   * @param timestep in [0, 1000], 1000 being pure noise
   */
  Tensor velocity(Tensor latents, Texts texts, double timestep) {
    return NETWORK.tensor(
        "forward",
        weights,
        blocks,
        latents,
        texts.context(),
        texts.lengths(),
        timestep,
        texts.rope(),
        config.heads());
  }

  /**
   * Classifier-free guidance, under which each token keeps the norm of its positive velocity.
   *
   * @param scale {@code [batch]}
   */
  static Tensor guide(Tensor negative, Tensor positive, Tensor scale) {
    return NETWORK.tensor("guide", negative, positive, scale);
  }

  @Override
  public void close() {
    blocks.close();
    weights.close();
  }
}
