package io.lightmill.pipeline.text;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorCache;
import io.lightmill.pipeline.torch.Weights;
import java.util.List;

/** T5's encoder, transformers' {@code T5EncoderModel}. */
public final class T5TextEncoder implements AutoCloseable {

  private static final ScriptModule NETWORK = ScriptModule.of("t5", "T5EncoderModel");

  /** Those of small encoders are kept; those of T5 XXL take 33 MB for 512 tokens in 16 bits. */
  private static final long MOST_BIAS_BYTES = 16L << 20;

  private static final String GATED = "gated-";

  /** The values of {@code config.json} that the network uses. */
  record Config(
      int vocabulary,
      int width,
      int headWidth,
      int feedForwardWidth,
      boolean gated,
      int layers,
      int heads,
      String activation,
      double layerNormEpsilon,
      int buckets,
      int maxDistance) {

    /** Absent values take the defaults of transformers' {@code T5Config}. */
    static Config of(ComponentConfig config) {
      config.choice("model_type", "t5", List.of("t5", "mt5"));
      config.requireFlag("is_decoder", false);
      boolean gated = config.text("feed_forward_proj", "relu").startsWith(GATED);
      config.requireFlag("is_gated_act", gated);
      Config encoder =
          new Config(
              config.count("vocab_size", 32128),
              config.count("d_model", 512),
              config.count("d_kv", 64),
              config.count("d_ff", 2048),
              gated,
              config.layers("num_layers", 6),
              config.count("num_heads", 8),
              activation(config),
              config.positive("layer_norm_epsilon", 1e-6),
              config.count("relative_attention_num_buckets", 32),
              config.count("relative_attention_max_distance", 128));
      config.requireAllRead(IdleKeys.OF_T5);
      return encoder;
    }

    /** {@code gated-gelu} means the tanh approximation; other names are those of the function. */
    private static String activation(ComponentConfig config) {
      String projection = config.text("feed_forward_proj", "relu");
      if (projection.equals("gated-gelu")) {
        return config.choice("dense_act_fn", "gelu_new", List.of("gelu_new"));
      } else if (config.has("dense_act_fn")) {
        return config.choice("dense_act_fn", "", Activations.NAMES);
      }
      String function =
          projection.startsWith(GATED) ? projection.substring(GATED.length()) : projection;
      if (!Activations.NAMES.contains(function)) {
        throw config.wrong("feed_forward_proj", "one of gated-gelu, gated-silu, relu");
      }
      return function;
    }

    WeightLayout layout() {
      long attention = (long) heads * headWidth;
      WeightLayout layout =
          new WeightLayout()
              .named(T5TextEncoder::canonical)
              .unused("decoder\\..*|lm_head\\.weight")
              .tensor("shared.weight", vocabulary, width)
              .tensor(
                  "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight",
                  buckets,
                  heads)
              .tensor("encoder.final_layer_norm.weight", width);
      for (int i = 0; i < layers; i++) {
        String block = "encoder.block.%d.layer.".formatted(i);
        layout.tensor(block + "0.layer_norm.weight", width);
        for (String projection : List.of("q", "k", "v")) {
          layout.linearWithoutBias(block + "0.SelfAttention." + projection, width, attention);
        }
        layout.linearWithoutBias(block + "0.SelfAttention.o", attention, width);
        layout.tensor(block + "1.layer_norm.weight", width);
        for (String inner : gated ? List.of("wi_0", "wi_1") : List.of("wi")) {
          layout.linearWithoutBias(block + "1.DenseReluDense." + inner, width, feedForwardWidth);
        }
        layout.linearWithoutBias(block + "1.DenseReluDense.wo", feedForwardWidth, width);
      }
      return layout;
    }
  }

  private final Config config;
  private final Weights weights;
  private final Weights blocks;
  private final TensorCache<Long, Tensor> biases = new TensorCache<>(MOST_BIAS_BYTES);

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
    Config config = Config.of(checkpoint.config(component));
    return new T5TextEncoder(config, loader.load(checkpoint.weights(component), config.layout()));
  }

  /** The weight layout of a component. */
  public static WeightLayout layout(Checkpoint checkpoint, String component) {
    return Config.of(checkpoint.config(component)).layout();
  }

  /** Channels of the hidden states, from the layout of a component. */
  public static int width(WeightLayout layout) {
    return layout.size("shared.weight", 1);
  }

  /** Files store the embedding under either of two names, or under both. */
  private static String canonical(String name) {
    return name.equals("encoder.embed_tokens.weight") ? "shared.weight" : name;
  }

  /**
   * Hidden states after the final norm, {@code [batch, tokens, width]}; padding is attended to.
   *
   * @param ids {@code [batch, tokens]} on the encoder's device
   */
  public Tensor encode(Tensor ids) {
    long tokens = ids.shape()[1];
    try (Tensor bias = biases.get(tokens, () -> bias(tokens))) {
      return NETWORK.tensor(
          "forward",
          weights,
          blocks,
          ids,
          bias,
          config.heads(),
          config.activation(),
          config.layerNormEpsilon());
    }
  }

  private Tensor bias(long tokens) {
    return NETWORK.tensor("bias", blocks, tokens, config.buckets(), config.maxDistance());
  }

  @Override
  public void close() {
    biases.close();
    blocks.close();
    weights.close();
  }
}
