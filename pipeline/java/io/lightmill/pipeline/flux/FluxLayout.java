package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.checkpoint.WeightLayout;
import java.util.List;

/** The weights of {@code FluxTransformer2DModel}. */
final class FluxLayout {

  /** Sinusoids that timesteps and guidance are embedded by. */
  private static final int SINUSOIDS = 256;

  /** Widening of the feed-forward layers. */
  private static final long MLP_RATIO = 4;

  private final WeightLayout layout = new WeightLayout();
  private final long width;
  private final int headWidth;

  private FluxLayout(FluxConfig config) {
    this.width = config.width();
    this.headWidth = config.headWidth();
  }

  static WeightLayout of(FluxConfig config) {
    FluxLayout flux = new FluxLayout(config);
    flux.embeddings(config);
    for (int i = 0; i < config.doubleBlocks(); i++) {
      flux.doubleBlock("transformer_blocks.%d.".formatted(i));
    }
    for (int i = 0; i < config.singleBlocks(); i++) {
      flux.singleBlock("single_transformer_blocks.%d.".formatted(i));
    }
    return flux.layout
        .linear("norm_out.linear", flux.width, 2 * flux.width)
        .linear("proj_out", flux.width, config.inChannels());
  }

  private void embeddings(FluxConfig config) {
    layout
        .linear("x_embedder", config.inChannels(), width)
        .linear("context_embedder", config.contextWidth(), width);
    embedder("timestep_embedder", SINUSOIDS);
    embedder("text_embedder", config.pooledWidth());
    if (config.guidanceEmbeds()) {
      embedder("guidance_embedder", SINUSOIDS);
    }
  }

  private void embedder(String name, int inputs) {
    layout
        .linear("time_text_embed.%s.linear_1".formatted(name), inputs, width)
        .linear("time_text_embed.%s.linear_2".formatted(name), width, width);
  }

  private void doubleBlock(String block) {
    layout
        .linear(block + "norm1.linear", width, 6 * width)
        .linear(block + "norm1_context.linear", width, 6 * width);
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
    for (String stream : List.of("ff", "ff_context")) {
      layout
          .linear(block + stream + ".net.0.proj", width, MLP_RATIO * width)
          .linear(block + stream + ".net.2", MLP_RATIO * width, width);
    }
  }

  private void singleBlock(String block) {
    layout
        .linear(block + "norm.linear", width, 3 * width)
        .linear(block + "proj_mlp", width, MLP_RATIO * width)
        .linear(block + "proj_out", (1 + MLP_RATIO) * width, width)
        .tensor(block + "attn.norm_q.weight", headWidth)
        .tensor(block + "attn.norm_k.weight", headWidth);
    for (String projection : List.of("to_q", "to_k", "to_v")) {
      layout.linear(block + "attn." + projection, width, width);
    }
  }
}
