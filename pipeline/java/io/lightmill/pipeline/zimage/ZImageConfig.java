package io.lightmill.pipeline.zimage;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.schedule.TokenGrid;
import java.util.List;

/**
 * What {@code ZImageTransformer2DModel}'s config decides.
 *
 * @param inChannels latent channels of the autoencoder
 * @param captionWidth of the text encoder's hidden states
 * @param width channels of a token
 * @param layers over image and caption as one
 * @param refinerLayers over each of them alone
 * @param heads of the attention
 * @param headNorms whether queries and keys are normalised
 * @param ropeWidths channels of a head that turn with each of the three position axes
 * @param ropeTheta base of the turning rates
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

  /** What is absent has the default of diffusers' class. */
  static ZImageConfig of(ComponentConfig config) {
    int width = config.count("dim", 3840);
    int heads = config.count("n_heads", 30);
    if (width % heads != 0) {
      throw config.wrong("dim", "a multiple of n_heads, " + heads);
    }
    requireOnly(config, "all_patch_size", 2);
    requireOnly(config, "all_f_patch_size", 1);
    List<Integer> widths = config.counts("axes_dims", List.of(32, 48, 48));
    if (widths.size() != 3
        || widths.stream().anyMatch(axis -> axis % 2 != 0)
        || widths.stream().mapToLong(axis -> axis).sum() != width / heads) {
      throw config.wrong(
          "axes_dims", "three even widths that add up to dim / n_heads, " + width / heads);
    }
    return new ZImageConfig(
        config.count("in_channels", 16),
        config.count("cap_feat_dim", 2560),
        width,
        config.count("n_layers", 30),
        config.count("n_refiner_layers", 2),
        heads,
        config.flag("qk_norm", true),
        widths.stream().map(Integer::longValue).toList(),
        config.positive("rope_theta", 256),
        config.positive("t_scale", 1000),
        config.positive("norm_eps", 1e-5));
  }

  /** Captions fill positions from 1, in multiples of 32, and the picture takes the one behind. */
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
    return Layout.of(this);
  }

  /** States the weights, block by block. */
  private static final class Layout {

    /** Sinusoids that timesteps are embedded by, and the widest that the embedding gets. */
    private static final int SINUSOIDS = 256;

    private static final int TIME_MLP_WIDTH = 1024;

    /** The only patch size, 2 by 2 latents of 1 frame, as diffusers names its layers. */
    private static final String PATCH = "2-1";

    private final WeightLayout layout = new WeightLayout();
    private final ZImageConfig config;
    private final long width;
    private final long timeWidth;

    private Layout(ZImageConfig config) {
      this.config = config;
      this.width = config.width();
      this.timeWidth = Math.min(config.width(), SINUSOIDS);
    }

    static WeightLayout of(ZImageConfig config) {
      Layout network = new Layout(config);
      network.ends();
      for (int i = 0; i < config.refinerLayers(); i++) {
        network.block("context_refiner.%d.".formatted(i), /* modulated= */ false);
        network.block("noise_refiner.%d.".formatted(i), /* modulated= */ true);
      }
      for (int i = 0; i < config.layers(); i++) {
        network.block("layers.%d.".formatted(i), /* modulated= */ true);
      }
      return network.layout;
    }

    private void ends() {
      long patch = (long) config.inChannels() * TokenGrid.PATCH * TokenGrid.PATCH;
      String last = "all_final_layer." + PATCH;
      layout
          .linear("all_x_embedder." + PATCH, patch, width)
          .tensor("x_pad_token", 1, width)
          .tensor("cap_embedder.0.weight", config.captionWidth())
          .linear("cap_embedder.1", config.captionWidth(), width)
          .tensor("cap_pad_token", 1, width)
          .linear("t_embedder.mlp.0", SINUSOIDS, TIME_MLP_WIDTH)
          .linear("t_embedder.mlp.2", TIME_MLP_WIDTH, timeWidth)
          .linear(last + ".adaLN_modulation.1", timeWidth, width)
          .linear(last + ".linear", width, patch);
    }

    private void block(String block, boolean modulated) {
      for (String norm : List.of("attention_norm1", "attention_norm2", "ffn_norm1", "ffn_norm2")) {
        layout.tensor(block + norm + ".weight", width);
      }
      for (String projection : List.of("to_q", "to_k", "to_v", "to_out.0")) {
        layout.linearWithoutBias(block + "attention." + projection, width, width);
      }
      if (config.headNorms()) {
        long headWidth = width / config.heads();
        layout
            .tensor(block + "attention.norm_q.weight", headWidth)
            .tensor(block + "attention.norm_k.weight", headWidth);
      }
      long inner = width * 8 / 3;
      layout
          .linearWithoutBias(block + "feed_forward.w1", width, inner)
          .linearWithoutBias(block + "feed_forward.w3", width, inner)
          .linearWithoutBias(block + "feed_forward.w2", inner, width);
      if (modulated) {
        layout.linear(block + "adaLN_modulation.0", timeWidth, 4 * width);
      }
    }
  }
}
