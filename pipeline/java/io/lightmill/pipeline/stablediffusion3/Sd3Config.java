package io.lightmill.pipeline.stablediffusion3;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.flow.TransformerLayout;
import java.util.List;
import java.util.Set;

/**
 * The config of {@code SD3Transformer2DModel}.
 *
 * @param channels of the latents
 * @param patchSize latents along a token's side
 * @param positions tokens along the side of the largest square that has learned positions
 * @param sampleSize latents along the side of the images that it was trained on
 * @param contextWidth of the encoded prompt
 * @param pooledWidth of the pooled prompt
 * @param blocks of both streams
 * @param dualAttentionLayers blocks with a second attention over image tokens only
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

  /** Missing keys have the defaults of diffusers' class. */
  static Sd3Config of(ComponentConfig config) {
    int channels = TransformerLayout.channels(config, 16);
    Sd3Config transformer =
        new Sd3Config(
            channels,
            config.count("patch_size", 2),
            config.count("pos_embed_max_size", 96),
            config.count("sample_size", 128),
            config.count("joint_attention_dim", 4096),
            config.count("pooled_projection_dim", 2048),
            config.layers("num_layers", 18),
            config.indices("dual_attention_layers"),
            config.count("num_attention_heads", 18),
            config.count("attention_head_dim", 64),
            config.choice("qk_norm", "", List.of(RMS_NORM)).equals(RMS_NORM));
    TransformerLayout.width(config, transformer.heads(), transformer.headWidth());
    if (config.count("caption_projection_dim", 1152) != transformer.width()) {
      throw config.wrong(
          "caption_projection_dim",
          "num_attention_heads times attention_head_dim, " + transformer.width());
    }
    config.requireAllRead(Set.of());
    return transformer;
  }

  /** Channels of a token within the transformer. */
  int width() {
    return Math.multiplyExact(heads, headWidth);
  }

  /** The weights of {@code SD3Transformer2DModel}. */
  WeightLayout layout() {
    long width = width();
    TransformerLayout layout = new TransformerLayout(width, headWidth, /* biases= */ true);
    layout
        .layout()
        .tensor("pos_embed.proj.weight", width, channels, patchSize, patchSize)
        .tensor("pos_embed.proj.bias", width)
        .tensor("pos_embed.pos_embed", 1, (long) positions * positions, width);
    layout
        .linear("context_embedder", contextWidth, width)
        .embedder("time_text_embed.timestep_embedder", TransformerLayout.SINUSOIDS)
        .embedder("time_text_embed.text_embedder", pooledWidth);
    for (int i = 0; i < blocks; i++) {
      block(layout, i);
    }
    return layout
        .linear("norm_out.linear", width, 2 * width)
        .linear("proj_out", width, (long) patchSize * patchSize * channels)
        .layout();
  }

  /** The text stream ends in the last block, which has no output for it. */
  private void block(TransformerLayout layout, int number) {
    long width = width();
    String block = "transformer_blocks.%d.".formatted(number);
    boolean dual = dualAttentionLayers.contains(number);
    boolean last = number == blocks - 1;
    List<String> image = List.of("to_q", "to_k", "to_v", "to_out.0");
    layout
        .linear(block + "norm1.linear", width, (dual ? 9 : 6) * width)
        .linear(block + "norm1_context.linear", width, (last ? 2 : 6) * width)
        .projections(block + "attn.", image)
        .projections(block + "attn.", List.of("add_q_proj", "add_k_proj", "add_v_proj"))
        .feedForward(block + "ff");
    if (qkNorm) {
      layout.headNorms(
          block + "attn.", List.of("norm_q", "norm_k", "norm_added_q", "norm_added_k"));
    }
    if (dual) {
      layout.projections(block + "attn2.", image);
      if (qkNorm) {
        layout.headNorms(block + "attn2.", List.of("norm_q", "norm_k"));
      }
    }
    if (!last) {
      layout.linear(block + "attn.to_add_out", width, width).feedForward(block + "ff_context");
    }
  }
}
