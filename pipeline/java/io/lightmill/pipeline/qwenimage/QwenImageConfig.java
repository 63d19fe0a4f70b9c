package io.lightmill.pipeline.qwenimage;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
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
}
