package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import java.util.List;

/**
 * What {@code FluxTransformer2DModel}'s config decides.
 *
 * @param inChannels of a packed token: four latents of the autoencoder
 * @param contextWidth of T5's hidden states
 * @param pooledWidth of CLIP's pooled output
 * @param doubleBlocks with separate text and image streams
 * @param singleBlocks over both streams as one
 * @param heads of the attention
 * @param ropeWidths channels of a head that turn with each of the three position axes
 * @param guidanceEmbeds whether the checkpoint was distilled to take its guidance as an input
 */
record FluxConfig(
    int inChannels,
    int contextWidth,
    int pooledWidth,
    int doubleBlocks,
    int singleBlocks,
    int heads,
    List<Long> ropeWidths,
    boolean guidanceEmbeds) {

  /** What is absent has the default of diffusers' class. */
  static FluxConfig of(ComponentConfig config) {
    int headWidth = config.count("attention_head_dim", 128);
    List<Integer> widths = config.counts("axes_dims_rope", List.of(16, 56, 56));
    if (widths.size() != 3
        || widths.stream().anyMatch(width -> width % 2 != 0)
        || widths.stream().mapToLong(width -> width).sum() != headWidth) {
      throw config.wrong(
          "axes_dims_rope", "three even widths that add up to attention_head_dim, " + headWidth);
    }
    int inChannels = config.count("in_channels", 64);
    if (config.count("out_channels", inChannels) != inChannels) {
      throw config.wrong("out_channels", "in_channels, " + inChannels);
    }
    if (config.count("patch_size", 1) != 1) {
      throw config.wrong("patch_size", "1");
    }
    return new FluxConfig(
        inChannels,
        config.count("joint_attention_dim", 4096),
        config.count("pooled_projection_dim", 768),
        config.count("num_layers", 19),
        config.count("num_single_layers", 38),
        config.count("num_attention_heads", 24),
        widths.stream().map(Integer::longValue).toList(),
        config.flag("guidance_embeds", false));
  }

  /** Channels of one head. */
  int headWidth() {
    return Math.toIntExact(ropeWidths.stream().mapToLong(Long::longValue).sum());
  }

  /** Channels of a token within the transformer. */
  int width() {
    return Math.multiplyExact(heads, headWidth());
  }

  /** The weights of {@code FluxTransformer2DModel}. */
  WeightLayout layout() {
    return Layout.of(this);
  }

  /** States the weights, block by block. */
  private static final class Layout {

    /** Sinusoids that timesteps and guidance are embedded by. */
    private static final int SINUSOIDS = 256;

    /** Widening of the feed-forward layers. */
    private static final long MLP_RATIO = 4;

    private final WeightLayout layout = new WeightLayout();
    private final long width;
    private final int headWidth;

    private Layout(FluxConfig config) {
      this.width = config.width();
      this.headWidth = config.headWidth();
    }

    static WeightLayout of(FluxConfig config) {
      Layout flux = new Layout(config);
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
}
