package io.lightmill.pipeline.zimage;

import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.schedule.TokenGrid;
import java.util.List;

/** The weights of {@code ZImageTransformer2DModel}. */
final class ZImageLayout {

  /** Sinusoids that timesteps are embedded by, and the widest that the embedding gets. */
  private static final int SINUSOIDS = 256;

  private static final int TIME_MLP_WIDTH = 1024;

  /** The only patch size, 2 by 2 latents of 1 frame, as diffusers names its layers. */
  private static final String PATCH = "2-1";

  private final WeightLayout layout = new WeightLayout();
  private final ZImageConfig config;
  private final long width;
  private final long timeWidth;

  private ZImageLayout(ZImageConfig config) {
    this.config = config;
    this.width = config.width();
    this.timeWidth = Math.min(config.width(), SINUSOIDS);
  }

  static WeightLayout of(ZImageConfig config) {
    ZImageLayout network = new ZImageLayout(config);
    network.ends();
    for (int i = 0; i < config.refinerLayers(); i++) {
      network.block("context_refiner.%d.".formatted(i), /* modulated= */ false);
      network.block("noise_refiner.%d.".formatted(i), /* modulated= */ true);
    }
    for (int i = 0; i < config.layers(); i++) {
      network.block("layers.%d.".formatted(i), /* modulated= */ true);
    }
    return network.layout;
  }

  private void ends() {
    long patch = (long) config.inChannels() * TokenGrid.PATCH * TokenGrid.PATCH;
    String last = "all_final_layer." + PATCH;
    layout
        .linear("all_x_embedder." + PATCH, patch, width)
        .tensor("x_pad_token", 1, width)
        .tensor("cap_embedder.0.weight", config.captionWidth())
        .linear("cap_embedder.1", config.captionWidth(), width)
        .tensor("cap_pad_token", 1, width)
        .linear("t_embedder.mlp.0", SINUSOIDS, TIME_MLP_WIDTH)
        .linear("t_embedder.mlp.2", TIME_MLP_WIDTH, timeWidth)
        .linear(last + ".adaLN_modulation.1", timeWidth, width)
        .linear(last + ".linear", width, patch);
  }

  private void block(String block, boolean modulated) {
    for (String norm : List.of("attention_norm1", "attention_norm2", "ffn_norm1", "ffn_norm2")) {
      layout.tensor(block + norm + ".weight", width);
    }
    for (String projection : List.of("to_q", "to_k", "to_v", "to_out.0")) {
      layout.linearWithoutBias(block + "attention." + projection, width, width);
    }
    if (config.headNorms()) {
      long headWidth = width / config.heads();
      layout
          .tensor(block + "attention.norm_q.weight", headWidth)
          .tensor(block + "attention.norm_k.weight", headWidth);
    }
    long inner = width * 8 / 3;
    layout
        .linearWithoutBias(block + "feed_forward.w1", width, inner)
        .linearWithoutBias(block + "feed_forward.w3", width, inner)
        .linearWithoutBias(block + "feed_forward.w2", inner, width);
    if (modulated) {
      layout.linear(block + "adaLN_modulation.0", timeWidth, 4 * width);
    }
  }
}
