package io.lightmill.pipeline.text;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.util.List;

/** CLIP's text encoder, transformers' {@code CLIPTextModel}. */
public final class ClipTextEncoder implements AutoCloseable {

  private static final ScriptModule NETWORK = ScriptModule.of("clip", "CLIPTextModel");

  private static final String PREFIX = "text_model.";

  /** What the network takes from {@code config.json}. */
  record Config(
      int vocabulary,
      int positions,
      int width,
      int feedForwardWidth,
      int layers,
      int heads,
      String activation,
      double layerNormEps,
      int eosTokenId) {

    /** What is absent has the default of transformers' {@code CLIPTextConfig}. */
    static Config of(ComponentConfig config) {
      return new Config(
          config.count("vocab_size", 49408),
          config.count("max_position_embeddings", 77),
          config.count("hidden_size", 512),
          config.count("intermediate_size", 2048),
          config.count("num_hidden_layers", 12),
          config.count("num_attention_heads", 8),
          config.choice("hidden_act", "quick_gelu", Activations.NAMES),
          config.positive("layer_norm_eps", 1e-5),
          config.integer("eos_token_id", 49407));
    }

    WeightLayout layout() {
      WeightLayout layout =
          new WeightLayout()
              .tensor("embeddings.token_embedding.weight", vocabulary, width)
              .tensor("embeddings.position_embedding.weight", positions, width)
              .norm("final_layer_norm", width);
      for (int i = 0; i < layers; i++) {
        String layer = "encoder.layers.%d.".formatted(i);
        layout.norm(layer + "layer_norm1", width).norm(layer + "layer_norm2", width);
        for (String projection : List.of("q_proj", "k_proj", "v_proj", "out_proj")) {
          layout.linear(layer + "self_attn." + projection, width, width);
        }
        layout
            .linear(layer + "mlp.fc1", width, feedForwardWidth)
            .linear(layer + "mlp.fc2", feedForwardWidth, width);
      }
      return layout;
    }
  }

  private final Config config;
  private final Weights weights;
  private final Weights layers;

  private ClipTextEncoder(Config config, Weights weights) {
    this.config = config;
    this.weights = weights;
    this.layers = weights.stack("encoder.layers", config.layers());
  }

  /**
   * Loads a component.
   *
   * @param component such as {@code text_encoder}
   */
  public static ClipTextEncoder load(Checkpoint checkpoint, String component, WeightLoader loader) {
    Config config = Config.of(checkpoint.config(component));
    return new ClipTextEncoder(
        config,
        loader.load(checkpoint.weights(component), config.layout(), ClipTextEncoder::canonical));
  }

  /** Channels of the hidden states. */
  public int width() {
    return config.width();
  }

  /** Most tokens of a text. */
  public int positions() {
    return config.positions();
  }

  /** Files of before transformers 5 put all names below {@code text_model}. */
  private static String canonical(String name) {
    return name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
  }

  /**
   * Hidden states after the final norm, {@code [batch, tokens, width]}.
   *
   * @param ids {@code [batch, tokens]} on the encoder's device
   */
  public Tensor encode(Tensor ids) {
    return NETWORK.tensor(
        "forward",
        weights,
        layers,
        ids,
        config.heads(),
        config.activation(),
        config.layerNormEps());
  }

  /** The hidden state at the end of each text, {@code [batch, width]}: {@code pooler_output}. */
  public Tensor pool(Tensor hidden, Tensor ids) {
    return NETWORK.tensor("pool", hidden, ids, config.eosTokenId());
  }

  @Override
  public void close() {
    layers.close();
    weights.close();
  }
}
