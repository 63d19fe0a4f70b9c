package io.lightmill.pipeline.zimage;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.flow.TokenGrid;
import io.lightmill.pipeline.flow.TransformerLayout;
import java.util.List;
import java.util.Set;

/**
 * The config of {@code ZImageTransformer2DModel}.
 *
 * @param inChannels latent channels of the autoencoder
 * @param captionWidth of the text encoder's hidden states
 * @param width channels of a token
 * @param layers over image and caption as one
 * @param refinerLayers over each of them alone
 * @param heads of the attention
 * @param headNorms whether queries and keys are normalised
 * @param ropeWidths channels of a head that each of the three position axes rotates
 * @param ropeTheta base of the rotation frequencies
 * @param timeScale that model times in [0, 1] are embedded at
 * @param normEps of the RMS norms
 */
record ZImageConfig(
    int inChannels,
    int captionWidth,
    int width,
    int layers,
    int refinerLayers,
    int heads,
    boolean headNorms,
    List<Long> ropeWidths,
    double ropeTheta,
    double timeScale,
    double normEps) {

  private static final int CAPTION_MULTIPLE = 32;

  /** The widest that the embedding of timesteps gets. */
  private static final int TIME_MLP_WIDTH = 1024;

  /** The only patch size, 2 by 2 latents of 1 frame, as diffusers names its layers. */
  private static final String PATCH = "2-1";

  /**
   * diffusers' attention has as many heads for keys as for queries; positions beyond {@code
   * axes_lens} are refused with the prompt.
   */
  private static final Set<String> IDLE = Set.of("n_kv_heads", "axes_lens");

  /** Missing keys have the defaults of diffusers' class. */
  static ZImageConfig of(ComponentConfig config) {
    int width = config.count("dim", 3840);
    int heads = config.count("n_heads", 30);
    if (width % heads != 0) {
      throw config.wrong("dim", "a multiple of n_heads, " + heads);
    }
    requireOnly(config, "all_patch_size", 2);
    requireOnly(config, "all_f_patch_size", 1);
    List<Long> ropeWidths =
        TransformerLayout.ropeWidths(
            config, "axes_dims", List.of(32, 48, 48), width / heads, "dim / n_heads");
    ZImageConfig transformer =
        new ZImageConfig(
            config.count("in_channels", 16),
            config.count("cap_feat_dim", 2560),
            width,
            config.layers("n_layers", 30),
            config.layers("n_refiner_layers", 2),
            heads,
            config.flag("qk_norm", true),
            ropeWidths,
            config.positive("rope_theta", 256),
            config.positive("t_scale", 1000),
            config.positive("norm_eps", 1e-5));
    config.requireAllRead(IDLE);
    return transformer;
  }

  /** Captions fill positions from 1, in multiples of 32, and the image takes the next one. */
  static int longestCaption(ComponentConfig config) {
    int positions = config.counts("axes_lens", List.of(1024, 512, 512)).get(0);
    return Math.max(CAPTION_MULTIPLE, (positions - 2) / CAPTION_MULTIPLE * CAPTION_MULTIPLE);
  }

  private static void requireOnly(ComponentConfig config, String key, int only) {
    if (!config.counts(key, List.of(only)).equals(List.of(only))) {
      throw config.wrong(key, "[%d]".formatted(only));
    }
  }

  /** The weights of {@code ZImageTransformer2DModel}. */
  WeightLayout layout() {
    TransformerLayout layout = new TransformerLayout(width, width / heads, /* biases= */ false);
    long patch = (long) inChannels * TokenGrid.PATCH * TokenGrid.PATCH;
    String last = "all_final_layer." + PATCH;
    layout
        .layout()
        .linear("all_x_embedder." + PATCH, patch, width)
        .tensor("x_pad_token", 1, width)
        .tensor("cap_embedder.0.weight", captionWidth)
        .linear("cap_embedder.1", captionWidth, width)
        .tensor("cap_pad_token", 1, width)
        .linear("t_embedder.mlp.0", TransformerLayout.SINUSOIDS, TIME_MLP_WIDTH)
        .linear("t_embedder.mlp.2", TIME_MLP_WIDTH, timeWidth())
        .linear(last + ".adaLN_modulation.1", timeWidth(), width)
        .linear(last + ".linear", width, patch);
    for (int i = 0; i < refinerLayers; i++) {
      block(layout, "context_refiner.%d.".formatted(i), /* modulated= */ false);
      block(layout, "noise_refiner.%d.".formatted(i), /* modulated= */ true);
    }
    for (int i = 0; i < layers; i++) {
      block(layout, "layers.%d.".formatted(i), /* modulated= */ true);
    }
    return layout.layout();
  }

  private void block(TransformerLayout layout, String block, boolean modulated) {
    layout
        .projections(block + "attention.", List.of("to_q", "to_k", "to_v", "to_out.0"))
        .linear(block + "feed_forward.w1", width, feedForwardWidth())
        .linear(block + "feed_forward.w3", width, feedForwardWidth())
        .linear(block + "feed_forward.w2", feedForwardWidth(), width);
    for (String norm : List.of("attention_norm1", "attention_norm2", "ffn_norm1", "ffn_norm2")) {
      layout.layout().tensor(block + norm + ".weight", width);
    }
    if (headNorms) {
      layout.headNorms(block + "attention.", List.of("norm_q", "norm_k"));
    }
    if (modulated) {
      layout.layout().linear(block + "adaLN_modulation.0", timeWidth(), 4L * width);
    }
  }

  private long feedForwardWidth() {
    return width * 8L / 3;
  }

  private long timeWidth() {
    return Math.min(width, TransformerLayout.SINUSOIDS);
  }
}
