package io.lightmill.pipeline.text;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.util.List;

/**
 * CLIP's text encoder, transformers' {@code CLIPTextModel} or {@code CLIPTextModelWithProjection}.
 */
public final class ClipTextEncoder implements AutoCloseable {

  private static final ScriptModule NETWORK = ScriptModule.of("clip", "CLIPTextModel");

  private static final String PREFIX = "text_model.";

  /** The values of {@code config.json} that the network uses. */
  record Config(
      int vocabulary,
      int positions,
      int width,
      int feedForwardWidth,
      int layers,
      int heads,
      String activation,
      double layerNormEps,
      int eosTokenId,
      int projectionWidth) {

    /** Absent values take the defaults of transformers' {@code CLIPTextConfig}. */
    static Config of(ComponentConfig config) {
      config.choice("model_type", "clip_text_model", List.of("clip_text_model", "clip"));
      Config encoder =
          new Config(
              config.count("vocab_size", 49408),
              config.count("max_position_embeddings", 77),
              config.count("hidden_size", 512),
              config.count("intermediate_size", 2048),
              config.layers("num_hidden_layers", 12),
              config.count("num_attention_heads", 8),
              config.choice("hidden_act", "quick_gelu", Activations.NAMES),
              config.positive("layer_norm_eps", 1e-5),
              config.integer("eos_token_id", 49407),
              config.count("projection_dim", 512));
      config.requireAllRead(IdleKeys.OF_TRANSFORMERS);
      return encoder;
    }

    WeightLayout layout() {
      WeightLayout layout =
          new WeightLayout()
              .named(ClipTextEncoder::canonical)
              .unused(
                  "embeddings\\.position_ids|text_projection\\.weight|logit_scale|vision_model\\..*|visual_projection\\.weight")
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

    WeightLayout layoutWithProjection() {
      return layout().linearWithoutBias("text_projection", width, projectionWidth);
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
    return load(checkpoint, component, loader, layout(checkpoint, component));
  }

  /** Loads a component that can {@link #project}. */
  public static ClipTextEncoder loadWithProjection(
      Checkpoint checkpoint, String component, WeightLoader loader) {
    return load(checkpoint, component, loader, layoutWithProjection(checkpoint, component));
  }

  private static ClipTextEncoder load(
      Checkpoint checkpoint, String component, WeightLoader loader, WeightLayout layout) {
    Config config = Config.of(checkpoint.config(component));
    return new ClipTextEncoder(config, loader.load(checkpoint.weights(component), layout));
  }

  /** The weight layout of a component. */
  public static WeightLayout layout(Checkpoint checkpoint, String component) {
    return Config.of(checkpoint.config(component)).layout();
  }

  /** The weight layout of a component that can {@link #project}. */
  public static WeightLayout layoutWithProjection(Checkpoint checkpoint, String component) {
    return Config.of(checkpoint.config(component)).layoutWithProjection();
  }

  /** Maximum number of tokens of a text, from the config of a component. */
  public static int positions(Checkpoint checkpoint, String component) {
    return Config.of(checkpoint.config(component)).positions();
  }

  /** Channels of the hidden states, from the layout of a component. */
  public static int width(WeightLayout layout) {
    return layout.size("embeddings.token_embedding.weight", 1);
  }

  /** Channels of projected texts, from the layout of a component with projection. */
  public static int projectionWidth(WeightLayout layout) {
    return layout.size("text_projection.weight", 0);
  }

  /** Maximum number of tokens of a text. */
  public int positions() {
    return config.positions();
  }

  /** Files written before transformers 5 have all names below {@code text_model}. */
  private static String canonical(String name) {
    return name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : name;
  }

  /**
   * Hidden states after the final norm, {@code [batch, tokens, width]}.
   *
   * @param ids {@code [batch, tokens]} on the encoder's device
   */
  public Tensor encode(Tensor ids) {
    try (Tensor penultimate = penultimate(ids)) {
      return last(penultimate);
    }
  }

  /**
   * Hidden states before the last layer, {@code [batch, tokens, width]}: {@code hidden_states[-2]}.
   *
   * @param ids {@code [batch, tokens]} on the encoder's device
   */
  public Tensor penultimate(Tensor ids) {
    return run("penultimate", ids);
  }

  /** Turns the {@link #penultimate} hidden states into those after the final norm. */
  public Tensor last(Tensor penultimate) {
    return run("last", penultimate);
  }

  private Tensor run(String method, Tensor input) {
    return NETWORK.tensor(
        method, weights, layers, input, config.heads(), config.activation(), config.layerNormEps());
  }

  /** The hidden state at the end of each text, {@code [batch, width]}: {@code pooler_output}. */
  public Tensor pool(Tensor hidden, Tensor ids) {
    return NETWORK.tensor("pool", hidden, ids, config.eosTokenId());
  }

  /** Projected texts, {@code [batch, projection width]}: {@code text_embeds}. */
  public Tensor project(Tensor pooled) {
    return NETWORK.tensor("project", weights, pooled);
  }

  @Override
  public void close() {
    layers.close();
    weights.close();
  }
}
