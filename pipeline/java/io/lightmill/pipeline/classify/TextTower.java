package io.lightmill.pipeline.classify;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.text.Activations;
import io.lightmill.pipeline.text.IdleKeys;

/**
 * The values of {@code text_config} that the text encoder of CLIP or SigLIP uses.
 *
 * @param positions most tokens of a text
 * @param projection channels of SigLIP's embeddings
 */
record TextTower(
    int vocabulary,
    int positions,
    int width,
    int feedForwardWidth,
    int layers,
    int heads,
    String activation,
    double layerNormEps,
    int eosTokenId,
    int projection) {

  /** Absent values take the defaults of {@code CLIPTextConfig} and {@code SiglipTextConfig}. */
  static TextTower of(ComponentConfig config, boolean clip) {
    int width = config.count("hidden_size", clip ? 512 : 768);
    TextTower tower =
        new TextTower(
            config.count("vocab_size", clip ? 49408 : 32000),
            config.count("max_position_embeddings", clip ? 77 : 64),
            width,
            config.count("intermediate_size", clip ? 2048 : 3072),
            config.layers("num_hidden_layers", 12),
            config.count("num_attention_heads", clip ? 8 : 12),
            config.choice(
                "hidden_act", clip ? "quick_gelu" : "gelu_pytorch_tanh", Activations.NAMES),
            config.positive("layer_norm_eps", clip ? 1e-5 : 1e-6),
            config.integer("eos_token_id", 49407),
            config.count("projection_size", width));
    if (tower.width % tower.heads != 0) {
      throw config.wrong("num_attention_heads", "a divisor of hidden_size");
    }
    config.requireAllRead(ImageTower.with(IdleKeys.OF_TRANSFORMERS, "projection_dim"));
    return tower;
  }

  /**
   * @param shared channels of the space that CLIP shares between texts and pictures; 0 for SigLIP
   */
  WeightLayout layout(int shared) {
    WeightLayout layout =
        new WeightLayout()
            .tensor("embeddings.token_embedding.weight", vocabulary, width)
            .tensor("embeddings.position_embedding.weight", positions, width)
            .norm("final_layer_norm", width);
    for (int i = 0; i < layers; i++) {
      ImageTower.blocks(layout, "encoder.layers.%d.".formatted(i), width, feedForwardWidth, true);
    }
    return shared == 0
        ? layout.linear("head", width, projection)
        : layout.linearWithoutBias("text_projection", width, shared);
  }
}
