package io.lightmill.pipeline.stablediffusion3;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import java.util.List;
import java.util.Set;

/**
 * What {@code SD3Transformer2DModel}'s config decides.
 *
 * @param channels of the latents
 * @param patchSize latents along a token's side
 * @param positions tokens along the side of the largest square that has learned positions
 * @param sampleSize latents along the side of the picture that it was trained for
 * @param contextWidth of the encoded prompt
 * @param pooledWidth of the prompt's gist
 * @param blocks of both streams
 * @param dualAttentionLayers blocks whose image tokens attend to themselves besides
 * @param heads of the attention
 * @param headWidth channels of one head
 * @param qkNorm whether queries and keys are RMS-normed
 */
record Sd3Config(
    int channels,
    int patchSize,
    int positions,
    int sampleSize,
    int contextWidth,
    int pooledWidth,
    int blocks,
    Set<Integer> dualAttentionLayers,
    int heads,
    int headWidth,
    boolean qkNorm) {

  private static final String RMS_NORM = "rms_norm";

  Sd3Config {
    dualAttentionLayers = Set.copyOf(dualAttentionLayers);
  }

  /** What is absent has the default of diffusers' class. */
  static Sd3Config of(ComponentConfig config) {
    int channels = config.count("in_channels", 16);
    if (config.count("out_channels", channels) != channels) {
      throw config.wrong("out_channels", "in_channels, " + channels);
    }
    Sd3Config transformer =
        new Sd3Config(
            channels,
            config.count("patch_size", 2),
            config.count("pos_embed_max_size", 96),
            config.count("sample_size", 128),
            config.count("joint_attention_dim", 4096),
            config.count("pooled_projection_dim", 2048),
            config.count("num_layers", 18),
            config.indices("dual_attention_layers"),
            config.count("num_attention_heads", 18),
            config.count("attention_head_dim", 64),
            config.choice("qk_norm", "", List.of(RMS_NORM)).equals(RMS_NORM));
    if (config.count("caption_projection_dim", 1152) != transformer.width()) {
      throw config.wrong(
          "caption_projection_dim",
          "num_attention_heads times attention_head_dim, " + transformer.width());
    }
    return transformer;
  }

  /** Channels of a token within the transformer. */
  int width() {
    return Math.multiplyExact(heads, headWidth);
  }

  /** The weights of {@code SD3Transformer2DModel}. */
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
    private final Sd3Config config;
    private final long width;

    private Layout(Sd3Config config) {
      this.config = config;
      this.width = config.width();
    }

    static WeightLayout of(Sd3Config config) {
      Layout sd3 = new Layout(config);
      sd3.embeddings();
      for (int i = 0; i < config.blocks(); i++) {
        sd3.block(
            "transformer_blocks.%d.".formatted(i),
            config.dualAttentionLayers().contains(i),
            i == config.blocks() - 1);
      }
      long patch = (long) config.patchSize() * config.patchSize();
      return sd3.layout
          .linear("norm_out.linear", sd3.width, 2 * sd3.width)
          .linear("proj_out", sd3.width, patch * config.channels());
    }

    private void embeddings() {
      layout
          .convolution("pos_embed.proj", config.channels(), width, config.patchSize())
          .tensor("pos_embed.pos_embed", 1, (long) config.positions() * config.positions(), width)
          .linear("context_embedder", config.contextWidth(), width);
      embedder("timestep_embedder", SINUSOIDS);
      embedder("text_embedder", config.pooledWidth());
    }

    private void embedder(String name, int inputs) {
      layout
          .linear("time_text_embed.%s.linear_1".formatted(name), inputs, width)
          .linear("time_text_embed.%s.linear_2".formatted(name), width, width);
    }

    /** The text of the last block is attended to and then dropped. */
    private void block(String block, boolean dual, boolean last) {
      layout
          .linear(block + "norm1.linear", width, (dual ? 9 : 6) * width)
          .linear(block + "norm1_context.linear", width, (last ? 2 : 6) * width);
      attention(block + "attn.", List.of("to_q", "to_k", "to_v", "to_out.0"), "norm_q", "norm_k");
      attention(
          block + "attn.",
          List.of("add_q_proj", "add_k_proj", "add_v_proj"),
          "norm_added_q",
          "norm_added_k");
      if (dual) {
        attention(
            block + "attn2.", List.of("to_q", "to_k", "to_v", "to_out.0"), "norm_q", "norm_k");
      }
      feedForward(block + "ff");
      if (!last) {
        layout.linear(block + "attn.to_add_out", width, width);
        feedForward(block + "ff_context");
      }
    }

    private void attention(String name, List<String> projections, String... norms) {
      projections.forEach(projection -> layout.linear(name + projection, width, width));
      if (config.qkNorm()) {
        for (String norm : norms) {
          layout.tensor(name + norm + ".weight", config.headWidth());
        }
      }
    }

    private void feedForward(String name) {
      layout
          .linear(name + ".net.0.proj", width, MLP_RATIO * width)
          .linear(name + ".net.2", MLP_RATIO * width, width);
    }
  }
}
