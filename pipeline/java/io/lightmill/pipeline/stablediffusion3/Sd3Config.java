package io.lightmill.pipeline.stablediffusion3;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
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
}
