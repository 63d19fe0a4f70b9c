package io.lightmill.pipeline.qwenimage;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.flow.TokenGrid;
import io.lightmill.pipeline.flow.TransformerLayout;
import java.util.List;
import java.util.Set;

/**
 * The config of {@code QwenImageTransformer2DModel}.
 *
 * @param inChannels of a token: four latents of the autoencoder
 * @param contextWidth of the text encoder's hidden states
 * @param blocks with separate text and image streams
 * @param heads of the attention
 * @param ropeWidths channels of a head that each of the three position axes rotates
 */
record QwenImageConfig(
    int inChannels, int contextWidth, int blocks, int heads, List<Long> ropeWidths) {

  /** Features of later models of the family, which edit images or generate layers. */
  private static final List<String> ABSENT =
      List.of("guidance_embeds", "use_additional_t_cond", "use_layer3d_rope", "zero_cond_t");

  /** An argument of the first release of diffusers' class, which never used it. */
  private static final Set<String> IDLE = Set.of("pooled_projection_dim");

  /** Missing keys have the defaults of diffusers' class. */
  static QwenImageConfig of(ComponentConfig config) {
    int headWidth = config.count("attention_head_dim", 128);
    List<Long> ropeWidths =
        TransformerLayout.ropeWidths(
            config, "axes_dims_rope", List.of(16, 56, 56), headWidth, "attention_head_dim");
    TransformerLayout.requirePatchSize(config, TokenGrid.PATCH);
    int inChannels = config.count("in_channels", 64);
    int patch = TokenGrid.PATCH * TokenGrid.PATCH;
    if ((long) config.count("out_channels", 16) * patch != inChannels) {
      throw config.wrong("out_channels", "a quarter of in_channels, " + inChannels);
    }
    for (String key : ABSENT) {
      if (config.flag(key, false)) {
        throw config.wrong(key, "false");
      }
    }
    QwenImageConfig transformer =
        new QwenImageConfig(
            inChannels,
            config.count("joint_attention_dim", 3584),
            config.layers("num_layers", 60),
            config.count("num_attention_heads", 24),
            ropeWidths);
    TransformerLayout.width(config, transformer.heads(), headWidth);
    config.requireAllRead(IDLE);
    return transformer;
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
    long width = width();
    TransformerLayout layout = new TransformerLayout(width, headWidth(), /* biases= */ true);
    layout.layout().tensor("txt_norm.weight", contextWidth);
    layout
        .linear("img_in", inChannels, width)
        .linear("txt_in", contextWidth, width)
        .embedder("time_text_embed.timestep_embedder", TransformerLayout.SINUSOIDS)
        .linear("norm_out.linear", width, 2 * width)
        .linear("proj_out", width, inChannels);
    for (int i = 0; i < blocks; i++) {
      String block = "transformer_blocks.%d.".formatted(i);
      layout.jointAttention(block + "attn.");
      for (String stream : List.of("img", "txt")) {
        layout
            .linear(block + stream + "_mod.1", width, 6 * width)
            .feedForward(block + stream + "_mlp");
      }
    }
    return layout.layout();
  }
}
