package io.lightmill.pipeline.flux2;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
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

  /** The weights of {@code Flux2Transformer2DModel}, which has no biases. */
  WeightLayout layout() {
    return Layout.of(this);
  }

  /** States the weights, block by block. */
  private static final class Layout {

    private final WeightLayout layout = new WeightLayout();
    private final long width;
    private final long inner;
    private final int headWidth;

    private Layout(Flux2Config config) {
      this.width = config.width();
      this.inner = config.feedForwardWidth();
      this.headWidth = config.headWidth();
    }

    static WeightLayout of(Flux2Config config) {
      Layout network = new Layout(config);
      network.ends(config);
      for (int i = 0; i < config.doubleBlocks(); i++) {
        network.doubleBlock("transformer_blocks.%d.".formatted(i));
      }
      for (int i = 0; i < config.singleBlocks(); i++) {
        network.singleBlock("single_transformer_blocks.%d.attn.".formatted(i));
      }
      return network.layout;
    }

    private void ends(Flux2Config config) {
      String embedder = "time_guidance_embed.timestep_embedder.";
      layout
          .linearWithoutBias("x_embedder", config.inChannels(), width)
          .linearWithoutBias("context_embedder", config.contextWidth(), width)
          .linearWithoutBias(embedder + "linear_1", config.sinusoids(), width)
          .linearWithoutBias(embedder + "linear_2", width, width)
          .linearWithoutBias("double_stream_modulation_img.linear", width, 6 * width)
          .linearWithoutBias("double_stream_modulation_txt.linear", width, 6 * width)
          .linearWithoutBias("single_stream_modulation.linear", width, 3 * width)
          .linearWithoutBias("norm_out.linear", width, 2 * width)
          .linearWithoutBias("proj_out", width, config.inChannels());
    }

    private void doubleBlock(String block) {
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
        layout.linearWithoutBias(block + "attn." + projection, width, width);
      }
      for (String norm : List.of("norm_q", "norm_k", "norm_added_q", "norm_added_k")) {
        layout.tensor(block + "attn." + norm + ".weight", headWidth);
      }
      for (String stream : List.of("ff", "ff_context")) {
        layout
            .linearWithoutBias(block + stream + ".linear_in", width, 2 * inner)
            .linearWithoutBias(block + stream + ".linear_out", inner, width);
      }
    }

    private void singleBlock(String attention) {
      layout
          .linearWithoutBias(attention + "to_qkv_mlp_proj", width, 3 * width + 2 * inner)
          .linearWithoutBias(attention + "to_out", width + inner, width)
          .tensor(attention + "norm_q.weight", headWidth)
          .tensor(attention + "norm_k.weight", headWidth);
    }
  }
}
