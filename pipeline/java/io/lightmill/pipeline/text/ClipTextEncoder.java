package io.lightmill.pipeline.text;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;

/** CLIP's text encoder, transformers' {@code CLIPTextModel}. */
public final class ClipTextEncoder implements AutoCloseable {

  private static final ScriptModule NETWORK = ScriptModule.of("clip", "CLIPTextModel");

  /** What the network takes from {@code config.json}. */
  record Config(int layers, int heads, String activation, double layerNormEps, int eosTokenId) {

    static Config of(ComponentConfig config) {
      return new Config(
          config.integer("num_hidden_layers"),
          config.integer("num_attention_heads"),
          config.text("hidden_act", "quick_gelu"),
          config.number("layer_norm_eps", 1e-5),
          config.integer("eos_token_id", 2));
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
    return new ClipTextEncoder(
        Config.of(checkpoint.config(component)),
        loader.load(
            checkpoint.weights(component),
            name ->
                name.startsWith("text_model.") ? name.substring("text_model.".length()) : name));
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
