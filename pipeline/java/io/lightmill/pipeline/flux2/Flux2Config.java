package io.lightmill.pipeline.flux2;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.flow.TransformerLayout;
import java.util.List;
import java.util.Set;

/**
 * The config of {@code Flux2Transformer2DModel}.
 *
 * @param inChannels of a token: four latents of the autoencoder
 * @param contextWidth of the text encoder's hidden states side by side
 * @param doubleBlocks with separate text and image streams
 * @param singleBlocks over both streams as one
 * @param heads of the attention
 * @param ropeWidths channels of a head that each of the four position axes rotates
 * @param ropeTheta base of the rotation frequencies
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

  /** klein's pipelines pass no guidance to the transformer, which ignores its embedder then. */
  private static final Set<String> IDLE = Set.of("guidance_embeds");

  /** Missing keys have the defaults of diffusers' class. */
  static Flux2Config of(ComponentConfig config) {
    int headWidth = config.count("attention_head_dim", 128);
    List<Long> ropeWidths =
        TransformerLayout.ropeWidths(
            config, "axes_dims_rope", List.of(32, 32, 32, 32), headWidth, "attention_head_dim");
    int inChannels = TransformerLayout.channels(config, 128);
    TransformerLayout.requirePatchSize(config, 1);
    if (config.positive("eps", NORM_EPS) != NORM_EPS) {
      throw config.wrong("eps", "1e-6");
    }
    int heads = config.count("num_attention_heads", 48);
    int width = TransformerLayout.width(config, heads, headWidth);
    Flux2Config transformer =
        new Flux2Config(
            inChannels,
            config.count("joint_attention_dim", 15360),
            config.layers("num_layers", 8),
            config.layers("num_single_layers", 48),
            heads,
            ropeWidths,
            config.positive("rope_theta", 2000),
            (int) (width * config.positive("mlp_ratio", 3)),
            config.count("timestep_guidance_channels", 256));
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

  /** The weights of {@code Flux2Transformer2DModel}, which has no biases. */
  WeightLayout layout() {
    long width = width();
    long inner = feedForwardWidth;
    TransformerLayout layout = new TransformerLayout(width, headWidth(), /* biases= */ false);
    layout
        .linear("x_embedder", inChannels, width)
        .linear("context_embedder", contextWidth, width)
        .embedder("time_guidance_embed.timestep_embedder", sinusoids)
        .linear("double_stream_modulation_img.linear", width, 6 * width)
        .linear("double_stream_modulation_txt.linear", width, 6 * width)
        .linear("single_stream_modulation.linear", width, 3 * width)
        .linear("norm_out.linear", width, 2 * width)
        .linear("proj_out", width, inChannels);
    for (int i = 0; i < doubleBlocks; i++) {
      String block = "transformer_blocks.%d.".formatted(i);
      layout.jointAttention(block + "attn.");
      for (String stream : List.of("ff", "ff_context")) {
        layout
            .linear(block + stream + ".linear_in", width, 2 * inner)
            .linear(block + stream + ".linear_out", inner, width);
      }
    }
    for (int i = 0; i < singleBlocks; i++) {
      String attention = "single_transformer_blocks.%d.attn.".formatted(i);
      layout
          .linear(attention + "to_qkv_mlp_proj", width, 3 * width + 2 * inner)
          .linear(attention + "to_out", width + inner, width)
          .headNorms(attention, List.of("norm_q", "norm_k"));
    }
    return layout.layout();
  }
}
