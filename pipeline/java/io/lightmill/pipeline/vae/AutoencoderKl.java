package io.lightmill.pipeline.vae;

import com.fasterxml.jackson.databind.JsonNode;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.torch.Weights;
import java.util.List;

/** Turns latents into images: the decoder of diffusers' {@code AutoencoderKL}. */
public final class AutoencoderKl implements AutoCloseable {

  private static final ScriptModule NETWORK = ScriptModule.of("autoencoder_kl", "AutoencoderKL");

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

    /** What is absent has the default of diffusers' class. */
    public static Config of(ComponentConfig config) {
      requirePlainBlocks(config);
      boolean flux2 = config.text("_class_name", "").equals("AutoencoderKLFlux2");
      List<Integer> blockOutChannels = config.counts("block_out_channels", List.of(64));
      if (flux2 && config.json().hasNonNull("decoder_block_out_channels")) {
        blockOutChannels = sameDepth(config, blockOutChannels.size());
      }
      int groups = config.count("norm_num_groups", 32);
      if (blockOutChannels.stream().anyMatch(channels -> channels % groups != 0)) {
        throw config.wrong("block_out_channels", "multiples of norm_num_groups, " + groups);
      }
      return new Config(
          config.count("latent_channels", 4),
          blockOutChannels,
          config.count("layers_per_block", 1) + 1,
          groups,
          config.flag("use_post_quant_conv", true),
          config.flag("mid_block_add_attention", true),
          config.positive("scaling_factor", flux2 ? 1 : 0.18215),
          config.number("shift_factor", 0));
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

    private static void requirePlainBlocks(ComponentConfig config) {
      for (JsonNode block : config.json().path("up_block_types")) {
        if (!block.asText().equals("UpDecoderBlock2D")) {
          throw config.wrong("up_block_types", "UpDecoderBlock2D alone, which Lightmill decodes");
        }
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
    Config config = Config.of(checkpoint.config("vae"));
    return new AutoencoderKl(
        config, loader.load(checkpoint.weights("vae"), DecoderLayout.of(config)));
  }

  /** The weights of the component {@code vae} that the decoder uses. */
  public static WeightLayout layout(Checkpoint checkpoint) {
    return DecoderLayout.of(Config.of(checkpoint.config("vae")));
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
