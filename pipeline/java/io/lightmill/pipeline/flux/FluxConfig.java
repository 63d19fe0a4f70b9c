package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.flow.TransformerLayout;
import java.util.List;
import java.util.Set;

/**
 * The config of {@code FluxTransformer2DModel}.
 *
 * @param inChannels of a packed token: four latents of the autoencoder
 * @param contextWidth of T5's hidden states
 * @param pooledWidth of CLIP's pooled output
 * @param doubleBlocks with separate text and image streams
 * @param singleBlocks over both streams as one
 * @param heads of the attention
 * @param ropeWidths channels of a head that each of the three position axes rotates
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

  /** Missing keys have the defaults of diffusers' class. */
  static FluxConfig of(ComponentConfig config) {
    int headWidth = config.count("attention_head_dim", 128);
    List<Long> ropeWidths =
        TransformerLayout.ropeWidths(
            config, "axes_dims_rope", List.of(16, 56, 56), headWidth, "attention_head_dim");
    int inChannels = TransformerLayout.channels(config, 64);
    TransformerLayout.requirePatchSize(config, 1);
    FluxConfig transformer =
        new FluxConfig(
            inChannels,
            config.count("joint_attention_dim", 4096),
            config.count("pooled_projection_dim", 768),
            config.layers("num_layers", 19),
            config.layers("num_single_layers", 38),
            config.count("num_attention_heads", 24),
            ropeWidths,
            config.flag("guidance_embeds", false));
    TransformerLayout.width(config, transformer.heads(), headWidth);
    config.requireAllRead(Set.of());
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

  /** The weights of {@code FluxTransformer2DModel}. */
  WeightLayout layout() {
    long width = width();
    TransformerLayout layout = new TransformerLayout(width, headWidth(), /* biases= */ true);
    layout
        .linear("x_embedder", inChannels, width)
        .linear("context_embedder", contextWidth, width)
        .embedder("time_text_embed.timestep_embedder", TransformerLayout.SINUSOIDS)
        .embedder("time_text_embed.text_embedder", pooledWidth);
    if (guidanceEmbeds) {
      layout.embedder("time_text_embed.guidance_embedder", TransformerLayout.SINUSOIDS);
    }
    for (int i = 0; i < doubleBlocks; i++) {
      String block = "transformer_blocks.%d.".formatted(i);
      layout
          .linear(block + "norm1.linear", width, 6 * width)
          .linear(block + "norm1_context.linear", width, 6 * width)
          .jointAttention(block + "attn.")
          .feedForward(block + "ff")
          .feedForward(block + "ff_context");
    }
    for (int i = 0; i < singleBlocks; i++) {
      String block = "single_transformer_blocks.%d.".formatted(i);
      layout
          .linear(block + "norm.linear", width, 3 * width)
          .linear(block + "proj_mlp", width, TransformerLayout.MLP_RATIO * width)
          .linear(block + "proj_out", (1 + TransformerLayout.MLP_RATIO) * width, width)
          .projections(block + "attn.", List.of("to_q", "to_k", "to_v"))
          .headNorms(block + "attn.", List.of("norm_q", "norm_k"));
    }
    return layout
        .linear("norm_out.linear", width, 2 * width)
        .linear("proj_out", width, inChannels)
        .layout();
  }
}
