package io.lightmill.pipeline.stablediffusion3;

import io.lightmill.pipeline.checkpoint.WeightLayout;
import java.util.List;

/** The weights of {@code SD3Transformer2DModel}. */
final class Sd3Layout {

  /** Sinusoids that timesteps are embedded by. */
  private static final int SINUSOIDS = 256;

  /** Widening of the feed-forward layers. */
  private static final long MLP_RATIO = 4;

  private final WeightLayout layout = new WeightLayout();
  private final Sd3Config config;
  private final long width;

  private Sd3Layout(Sd3Config config) {
    this.config = config;
    this.width = config.width();
  }

  static WeightLayout of(Sd3Config config) {
    Sd3Layout sd3 = new Sd3Layout(config);
    sd3.embeddings();
    for (int i = 0; i < config.blocks(); i++) {
      sd3.block(
          "transformer_blocks.%d.".formatted(i),
          config.dualAttentionLayers().contains(i),
          i == config.blocks() - 1);
    }
    long patch = (long) config.patchSize() * config.patchSize();
    return sd3.layout
        .linear("norm_out.linear", sd3.width, 2 * sd3.width)
        .linear("proj_out", sd3.width, patch * config.channels());
  }

  private void embeddings() {
    layout
        .convolution("pos_embed.proj", config.channels(), width, config.patchSize())
        .tensor("pos_embed.pos_embed", 1, (long) config.positions() * config.positions(), width)
        .linear("context_embedder", config.contextWidth(), width);
    embedder("timestep_embedder", SINUSOIDS);
    embedder("text_embedder", config.pooledWidth());
  }

  private void embedder(String name, int inputs) {
    layout
        .linear("time_text_embed.%s.linear_1".formatted(name), inputs, width)
        .linear("time_text_embed.%s.linear_2".formatted(name), width, width);
  }

  /** The text of the last block is attended to and then dropped. */
  private void block(String block, boolean dual, boolean last) {
    layout
        .linear(block + "norm1.linear", width, (dual ? 9 : 6) * width)
        .linear(block + "norm1_context.linear", width, (last ? 2 : 6) * width);
    attention(block + "attn.", List.of("to_q", "to_k", "to_v", "to_out.0"), "norm_q", "norm_k");
    attention(
        block + "attn.",
        List.of("add_q_proj", "add_k_proj", "add_v_proj"),
        "norm_added_q",
        "norm_added_k");
    if (dual) {
      attention(block + "attn2.", List.of("to_q", "to_k", "to_v", "to_out.0"), "norm_q", "norm_k");
    }
    feedForward(block + "ff");
    if (!last) {
      layout.linear(block + "attn.to_add_out", width, width);
      feedForward(block + "ff_context");
    }
  }

  private void attention(String name, List<String> projections, String... norms) {
    projections.forEach(projection -> layout.linear(name + projection, width, width));
    if (config.qkNorm()) {
      for (String norm : norms) {
        layout.tensor(name + norm + ".weight", config.headWidth());
      }
    }
  }

  private void feedForward(String name) {
    layout
        .linear(name + ".net.0.proj", width, MLP_RATIO * width)
        .linear(name + ".net.2", MLP_RATIO * width, width);
  }
}
