package io.lightmill.pipeline.flux2;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import java.util.List;

/**
 * What {@code Flux2Transformer2DModel}'s config decides.
 *
 * @param inChannels of a token: four latents of the autoencoder
 * @param contextWidth of the text encoder's hidden states side by side
 * @param doubleBlocks with separate text and image streams
 * @param singleBlocks over both streams as one
 * @param heads of the attention
 * @param ropeWidths channels of a head that turn with each of the four position axes
 * @param ropeTheta base of the turning rates
 * @param feedForwardWidth within the feed-forward layers
 * @param sinusoids that timesteps are embedded by
 */
record Flux2Config(
    int inChannels,
    int contextWidth,
    int doubleBlocks,
    int singleBlocks,
    int heads,
    List<Long> ropeWidths,
    double ropeTheta,
    int feedForwardWidth,
    int sinusoids) {

  private static final double NORM_EPS = 1e-6;

  /** What is absent has the default of diffusers' class. */
  static Flux2Config of(ComponentConfig config) {
    int headWidth = config.count("attention_head_dim", 128);
    List<Integer> widths = config.counts("axes_dims_rope", List.of(32, 32, 32, 32));
    if (widths.size() != 4
        || widths.stream().anyMatch(width -> width % 2 != 0)
        || widths.stream().mapToLong(width -> width).sum() != headWidth) {
      throw config.wrong(
          "axes_dims_rope", "four even widths that add up to attention_head_dim, " + headWidth);
    }
    int inChannels = config.count("in_channels", 128);
    if (config.count("out_channels", inChannels) != inChannels) {
      throw config.wrong("out_channels", "in_channels, " + inChannels);
    }
    if (config.count("patch_size", 1) != 1) {
      throw config.wrong("patch_size", "1");
    }
    if (config.positive("eps", NORM_EPS) != NORM_EPS) {
      throw config.wrong("eps", "1e-6");
    }
    int heads = config.count("num_attention_heads", 48);
    return new Flux2Config(
        inChannels,
        config.count("joint_attention_dim", 15360),
        config.count("num_layers", 8),
        config.count("num_single_layers", 48),
        heads,
        widths.stream().map(Integer::longValue).toList(),
        config.positive("rope_theta", 2000),
        (int) (Math.multiplyExact(heads, headWidth) * config.positive("mlp_ratio", 3)),
        config.count("timestep_guidance_channels", 256));
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
