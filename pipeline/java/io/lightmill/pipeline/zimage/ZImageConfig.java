package io.lightmill.pipeline.zimage;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
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
}
