package io.lightmill.pipeline.vae;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.torch.Weights;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Turns latents into images: the decoder of diffusers' {@code AutoencoderKL}. */
public final class AutoencoderKl implements AutoCloseable {

  private static final ScriptModule NETWORK = ScriptModule.of("autoencoder_kl", "AutoencoderKL");

  /** diffusers' classes of this kind. */
  public static final String PLAIN = "AutoencoderKL";

  public static final String FLUX2 = "AutoencoderKLFlux2";

  /**
   * Keys of the encoder, of decoding in tiles, of training, and statistics that no pipeline here
   * reads.
   */
  private static final Set<String> IDLE =
      Set.of(
          "in_channels",
          "down_block_types",
          "use_quant_conv",
          "sample_size",
          "force_upcast",
          "latents_mean",
          "latents_std");

  /** FLUX.2's normalises latents with statistics of its weights instead of two numbers. */
  private static final Set<String> IDLE_OF_FLUX2 =
      Set.of("batch_norm_eps", "batch_norm_momentum", "scaling_factor", "shift_factor");

  /** Channels of an image. */
  static final int RGB = 3;

  /**
   * The {@code config.json} of an AutoencoderKL.
   *
   * @param latentChannels of the latents
   * @param blockOutChannels of each level of resolution, the finest first; each but the last
   *     doubles width and height
   * @param resnetsPerLevel in the decoder
   * @param groups of the group norms
   * @param postQuantConv whether a convolution comes before the decoder
   * @param midAttention whether the coarsest level attends
   * @param scalingFactor that the latents were multiplied by
   * @param shiftFactor that was subtracted before
   */
  public record Config(
      int latentChannels,
      List<Integer> blockOutChannels,
      int resnetsPerLevel,
      int groups,
      boolean postQuantConv,
      boolean midAttention,
      double scalingFactor,
      double shiftFactor)
      implements VaeConfig {

    /**
     * What is absent has the default of diffusers' class.
     *
     * @param className of the component
     */
    public static Config of(ComponentConfig config, String className) {
      boolean flux2 = className.equals(FLUX2);
      List<Integer> blockOutChannels = config.counts("block_out_channels", List.of(64));
      if (flux2 && config.has("decoder_block_out_channels")) {
        blockOutChannels = sameDepth(config, blockOutChannels.size());
      }
      int groups = config.count("norm_num_groups", 32);
      if (blockOutChannels.stream().anyMatch(channels -> channels % groups != 0)) {
        throw config.wrong("block_out_channels", "multiples of norm_num_groups, " + groups);
      }
      requirePlainBlocks(config, blockOutChannels.size());
      if (flux2 && !config.counts("patch_size", List.of(2, 2)).equals(List.of(2, 2))) {
        throw config.wrong("patch_size", "[2, 2]");
      }
      Config vae =
          new Config(
              config.count("latent_channels", 4),
              blockOutChannels,
              config.layers("layers_per_block", 1) + 1,
              groups,
              config.flag("use_post_quant_conv", true),
              config.flag("mid_block_add_attention", true),
              flux2 ? 1 : config.positive("scaling_factor", 0.18215),
              flux2 ? 0 : config.number("shift_factor", 0));
      Set<String> idle = new HashSet<>(IDLE);
      if (flux2) {
        idle.addAll(IDLE_OF_FLUX2);
      }
      config.requireAllRead(idle);
      return vae;
    }

    /** Small decoders of FLUX.2 have widths of their own. */
    private static List<Integer> sameDepth(ComponentConfig config, int levels) {
      String key = "decoder_block_out_channels";
      List<Integer> channels = config.counts(key, List.of());
      if (channels.size() != levels) {
        throw config.wrong(key, "a list as long as block_out_channels, " + levels);
      }
      return channels;
    }

    private static void requirePlainBlocks(ComponentConfig config, int levels) {
      List<String> blocks = config.names("up_block_types");
      if (!blocks.stream().allMatch("UpDecoderBlock2D"::equals)) {
        throw config.wrong("up_block_types", "UpDecoderBlock2D alone, which Lightmill decodes");
      }
      if (!blocks.isEmpty() && blocks.size() != levels) {
        throw config.wrong("up_block_types", "a list as long as block_out_channels, " + levels);
      }
      config.choice("act_fn", "silu", List.of("silu"));
      if (config.count("out_channels", RGB) != RGB) {
        throw config.wrong("out_channels", "3: red, green and blue");
      }
    }

    @Override
    public int scaleFactor() {
      return 1 << (blockOutChannels.size() - 1);
    }

    @Override
    public int fullSizeChannels() {
      return blockOutChannels.get(Math.min(1, blockOutChannels.size() - 1));
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
    Config config = config(checkpoint);
    return new AutoencoderKl(
        config, loader.load(checkpoint.weights("vae"), DecoderLayout.of(config)));
  }

  /** The weights of the component {@code vae} that the decoder uses. */
  public static WeightLayout layout(Checkpoint checkpoint) {
    return DecoderLayout.of(config(checkpoint));
  }

  /** The config of the component {@code vae}. */
  public static Config config(Checkpoint checkpoint) {
    return Config.of(checkpoint.config("vae"), checkpoint.className("vae"));
  }

  public Config config() {
    return config;
  }

  /**
   * Decodes latents.
   *
   * @param latents {@code [batch, channels, height, width]} from the transformer
   * @return pixels {@code [batch, 3, height * scale, width * scale]} in [0, 1]
   */
  public Tensor decode(Tensor latents, TensorProbe probe) {
    try (Tensor unscaled =
            NETWORK.tensor("unscale", latents, config.scalingFactor(), config.shiftFactor());
        Tensor decoded =
            DecodingPasses.of(unscaled, config.scaleFactor()).decode(unscaled, this::decoded)) {
      probe.record("vae_in", unscaled);
      probe.record(VaeConfig.DECODED, decoded);
      probe.record("vae_out", decoded);
      return NETWORK.tensor("denormalize", decoded);
    }
  }

  private Tensor decoded(Tensor unscaled) {
    return NETWORK.tensor(
        "decode",
        weights,
        unscaled,
        config.blockOutChannels().size(),
        config.resnetsPerLevel(),
        config.groups());
  }

  @Override
  public void close() {
    weights.close();
  }
}
