package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import java.util.Arrays;
import java.util.List;

/**
 * What {@code FluxTransformer2DModel}'s config decides.
 *
 * @param inChannels of a packed token: four latents of the autoencoder
 * @param doubleBlocks with separate text and image streams
 * @param singleBlocks over both streams as one
 * @param heads of the attention
 * @param ropeWidths channels of a head that turn with each of the three position axes
 * @param guidanceEmbeds whether the checkpoint was distilled to take its guidance as an input
 */
record FluxConfig(
    int inChannels,
    int doubleBlocks,
    int singleBlocks,
    int heads,
    List<Long> ropeWidths,
    boolean guidanceEmbeds) {

  static FluxConfig of(ComponentConfig config) {
    int[] widths = config.integers("axes_dims_rope");
    int headWidth = config.integer("attention_head_dim");
    if (widths.length != 3 || Arrays.stream(widths).sum() != headWidth) {
      throw config.wrong(
          "axes_dims_rope", "three widths that add up to attention_head_dim, " + headWidth);
    }
    if (config.integer("patch_size", 1) != 1) {
      throw config.wrong("patch_size", "1");
    }
    return new FluxConfig(
        config.integer("in_channels"),
        config.integer("num_layers"),
        config.integer("num_single_layers"),
        config.integer("num_attention_heads"),
        Arrays.stream(widths).asLongStream().boxed().toList(),
        config.flag("guidance_embeds", false));
  }
}
