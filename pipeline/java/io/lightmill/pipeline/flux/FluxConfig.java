package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
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
}
