package io.lightmill.pipeline.qwenimage;

import io.lightmill.pipeline.checkpoint.WeightLayout;
import java.util.List;

/** The weights of {@code QwenImageTransformer2DModel}. */
final class QwenImageLayout {

  /** Sinusoids that timesteps are embedded by. */
  private static final int SINUSOIDS = 256;

  /** Widening of the feed-forward layers. */
  private static final long MLP_RATIO = 4;

  private final WeightLayout layout = new WeightLayout();
  private final long width;
  private final int headWidth;

  private QwenImageLayout(QwenImageConfig config) {
    this.width = config.width();
    this.headWidth = config.headWidth();
  }

  static WeightLayout of(QwenImageConfig config) {
    QwenImageLayout network = new QwenImageLayout(config);
    network.ends(config);
    for (int i = 0; i < config.blocks(); i++) {
      network.block("transformer_blocks.%d.".formatted(i));
    }
    return network.layout;
  }

  private void ends(QwenImageConfig config) {
    String embedder = "time_text_embed.timestep_embedder.";
    layout
        .linear("img_in", config.inChannels(), width)
        .tensor("txt_norm.weight", config.contextWidth())
        .linear("txt_in", config.contextWidth(), width)
        .linear(embedder + "linear_1", SINUSOIDS, width)
        .linear(embedder + "linear_2", width, width)
        .linear("norm_out.linear", width, 2 * width)
        .linear("proj_out", width, config.inChannels());
  }

  private void block(String block) {
    for (String projection :
        List.of(
            "to_q",
            "to_k",
            "to_v",
            "to_out.0",
            "add_q_proj",
            "add_k_proj",
            "add_v_proj",
            "to_add_out")) {
      layout.linear(block + "attn." + projection, width, width);
    }
    for (String norm : List.of("norm_q", "norm_k", "norm_added_q", "norm_added_k")) {
      layout.tensor(block + "attn." + norm + ".weight", headWidth);
    }
    for (String stream : List.of("img", "txt")) {
      layout
          .linear(block + stream + "_mod.1", width, 6 * width)
          .linear(block + stream + "_mlp.net.0.proj", width, MLP_RATIO * width)
          .linear(block + stream + "_mlp.net.2", MLP_RATIO * width, width);
    }
  }
}
