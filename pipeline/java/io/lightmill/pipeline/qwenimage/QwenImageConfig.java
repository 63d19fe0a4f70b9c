package io.lightmill.pipeline.qwenimage;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.schedule.TokenGrid;
import java.util.List;

/**
 * What {@code QwenImageTransformer2DModel}'s config decides.
 *
 * @param inChannels of a token: four latents of the autoencoder
 * @param contextWidth of the text encoder's hidden states
 * @param blocks with separate text and image streams
 * @param heads of the attention
 * @param ropeWidths channels of a head that turn with each of the three position axes
 */
record QwenImageConfig(
    int inChannels, int contextWidth, int blocks, int heads, List<Long> ropeWidths) {

  /** Parts of later members of the family, which edit pictures or draw layers. */
  private static final List<String> ABSENT =
      List.of("guidance_embeds", "use_additional_t_cond", "use_layer3d_rope", "zero_cond_t");

  /** What is absent has the default of diffusers' class. */
  static QwenImageConfig of(ComponentConfig config) {
    int headWidth = config.count("attention_head_dim", 128);
    List<Integer> widths = config.counts("axes_dims_rope", List.of(16, 56, 56));
    if (widths.size() != 3
        || widths.stream().anyMatch(width -> width % 2 != 0)
        || widths.stream().mapToLong(width -> width).sum() != headWidth) {
      throw config.wrong(
          "axes_dims_rope", "three even widths that add up to attention_head_dim, " + headWidth);
    }
    if (config.count("patch_size", TokenGrid.PATCH) != TokenGrid.PATCH) {
      throw config.wrong("patch_size", "2");
    }
    int inChannels = config.count("in_channels", 64);
    int patch = TokenGrid.PATCH * TokenGrid.PATCH;
    if (config.count("out_channels", 16) * patch != inChannels) {
      throw config.wrong("out_channels", "a quarter of in_channels, " + inChannels);
    }
    for (String key : ABSENT) {
      if (config.flag(key, false)) {
        throw config.wrong(key, "false");
      }
    }
    return new QwenImageConfig(
        inChannels,
        config.count("joint_attention_dim", 3584),
        config.count("num_layers", 60),
        config.count("num_attention_heads", 24),
        widths.stream().map(Integer::longValue).toList());
  }

  /** Channels of one head. */
  int headWidth() {
    return Math.toIntExact(ropeWidths.stream().mapToLong(Long::longValue).sum());
  }

  /** Channels of a token within the transformer. */
  int width() {
    return Math.multiplyExact(heads, headWidth());
  }

  /** The weights of {@code QwenImageTransformer2DModel}. */
  WeightLayout layout() {
    return Layout.of(this);
  }

  /** States the weights, block by block. */
  private static final class Layout {

    /** Sinusoids that timesteps are embedded by. */
    private static final int SINUSOIDS = 256;

    /** Widening of the feed-forward layers. */
    private static final long MLP_RATIO = 4;

    private final WeightLayout layout = new WeightLayout();
    private final long width;
    private final int headWidth;

    private Layout(QwenImageConfig config) {
      this.width = config.width();
      this.headWidth = config.headWidth();
    }

    static WeightLayout of(QwenImageConfig config) {
      Layout network = new Layout(config);
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
}
