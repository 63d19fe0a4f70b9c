package io.lightmill.pipeline.vae;

import io.lightmill.pipeline.TensorProbe;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.util.Map;

/** Turns latents into pictures: the decoder of diffusers' {@code AutoencoderKL}. */
public final class AutoencoderKl implements AutoCloseable {

  private static final ScriptModule NETWORK = ScriptModule.of("autoencoder_kl", "AutoencoderKL");

  /** Checkpoints of before 2023 name the attention's projections otherwise. */
  private static final Map<String, String> OLD_ATTENTION =
      Map.of("query", "to_q", "key", "to_k", "value", "to_v", "proj_attn", "to_out.0");

  /**
   * What {@code config.json} says of an AutoencoderKL.
   *
   * @param latentChannels of the latents
   * @param levels of resolution; each but the last doubles width and height
   * @param resnetsPerLevel in the decoder
   * @param groups of the group norms
   * @param scalingFactor that the latents were multiplied by
   * @param shiftFactor that was subtracted before
   */
  public record Config(
      int latentChannels,
      int levels,
      int resnetsPerLevel,
      int groups,
      double scalingFactor,
      double shiftFactor) {

    public static Config of(ComponentConfig config) {
      return new Config(
          config.integer("latent_channels"),
          config.integers("block_out_channels").length,
          config.integer("layers_per_block") + 1,
          config.integer("norm_num_groups", 32),
          config.number("scaling_factor", 0.18215),
          config.number("shift_factor", 0));
    }

    /** Pixels along a side of one latent. */
    public int scaleFactor() {
      return 1 << (levels - 1);
    }
  }

  private final Config config;
  private final Weights weights;

  private AutoencoderKl(Config config, Weights weights) {
    this.config = config;
    this.weights = weights;
  }

  /** Loads the decoder of the component {@code vae}; the encoder stays on disk. */
  public static AutoencoderKl load(Checkpoint checkpoint, WeightLoader loader) {
    return new AutoencoderKl(
        Config.of(checkpoint.config("vae")),
        loader.load(checkpoint.weights("vae"), AutoencoderKl::decoderName));
  }

  private static String decoderName(String name) {
    if (!name.startsWith("decoder.") && !name.startsWith("post_quant_conv.")) {
      return null;
    }
    int dot = name.lastIndexOf('.');
    String layer = name.substring(0, dot);
    for (var old : OLD_ATTENTION.entrySet()) {
      String oldName = ".attentions.0." + old.getKey();
      if (layer.endsWith(oldName)) {
        String stem = layer.substring(0, layer.length() - old.getKey().length());
        return stem + old.getValue() + name.substring(dot);
      }
    }
    return name;
  }

  public Config config() {
    return config;
  }

  /**
   * Decodes latents.
   *
   * @param latents {@code [batch, channels, height, width]} as the transformer leaves them
   * @return pixels {@code [batch, 3, height * scale, width * scale]} in [0, 1]
   */
  public Tensor decode(Tensor latents, TensorProbe probe) {
    try (Tensor unscaled =
            NETWORK.tensor("unscale", latents, config.scalingFactor(), config.shiftFactor());
        Tensor decoded =
            NETWORK.tensor(
                "decode",
                weights,
                unscaled,
                config.levels(),
                config.resnetsPerLevel(),
                config.groups())) {
      probe.record("vae_in", unscaled);
      probe.record("vae_out", decoded);
      return NETWORK.tensor("denormalize", decoded);
    }
  }

  @Override
  public void close() {
    weights.close();
  }
}
