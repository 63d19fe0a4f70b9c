package io.lightmill.pipeline.text;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;

/** T5's encoder, transformers' {@code T5EncoderModel}. */
public final class T5TextEncoder implements AutoCloseable {

  private static final ScriptModule NETWORK = ScriptModule.of("t5", "T5EncoderModel");

  /** What the network takes from {@code config.json}. */
  record Config(
      int layers,
      int heads,
      String activation,
      double layerNormEpsilon,
      int buckets,
      int maxDistance) {

    static Config of(ComponentConfig config) {
      return new Config(
          config.integer("num_layers"),
          config.integer("num_heads"),
          activation(config),
          config.number("layer_norm_epsilon", 1e-6),
          config.integer("relative_attention_num_buckets", 32),
          config.integer("relative_attention_max_distance", 128));
    }

    /** {@code gated-gelu} means the tanh approximation; other names are the function's own. */
    private static String activation(ComponentConfig config) {
      String projection = config.text("feed_forward_proj", "relu");
      return projection.equals("gated-gelu")
          ? "gelu_new"
          : config.text("dense_act_fn", projection.replace("gated-", ""));
    }
  }

  private final Config config;
  private final Weights weights;
  private final Weights blocks;

  private T5TextEncoder(Config config, Weights weights) {
    this.config = config;
    this.weights = weights;
    this.blocks = weights.stack("encoder.block", config.layers());
  }

  /**
   * Loads a component.
   *
   * @param component such as {@code text_encoder_2}
   */
  public static T5TextEncoder load(Checkpoint checkpoint, String component, WeightLoader loader) {
    return new T5TextEncoder(
        Config.of(checkpoint.config(component)),
        loader.load(checkpoint.weights(component), T5TextEncoder::canonical));
  }

  /** The embedding stands under either of two names, or under both. */
  private static String canonical(String name) {
    return name.equals("encoder.embed_tokens.weight") ? "shared.weight" : name;
  }

  /**
   * Hidden states after the final norm, {@code [batch, tokens, width]}; padding is attended to.
   *
   * @param ids {@code [batch, tokens]} on the encoder's device
   */
  public Tensor encode(Tensor ids) {
    return NETWORK.tensor(
        "forward",
        weights,
        blocks,
        ids,
        config.heads(),
        config.activation(),
        config.layerNormEpsilon(),
        config.buckets(),
        config.maxDistance());
  }

  @Override
  public void close() {
    blocks.close();
    weights.close();
  }
}
