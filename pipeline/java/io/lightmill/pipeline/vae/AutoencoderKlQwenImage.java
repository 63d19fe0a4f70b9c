package io.lightmill.pipeline.vae;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import io.lightmill.pipeline.torch.Weights;
import java.util.List;
import java.util.Set;

/** Turns latents into images: the decoder of diffusers' {@code AutoencoderKLQwenImage}. */
public final class AutoencoderKlQwenImage implements AutoCloseable {

  /**
   * {@code dropout} is for training; whether a level of resolution also halves time matters to
   * videos alone.
   */
  private static final Set<String> IDLE = Set.of("dropout");

  private static final ScriptModule NETWORK =
      ScriptModule.of("autoencoder_kl_qwen_image", "AutoencoderKLQwenImage");

  /**
   * The {@code config.json} of an AutoencoderKLQwenImage.
   *
   * @param latentChannels of the latents
   * @param levelChannels of each level of resolution, the finest first; each but the last doubles
   *     width and height
   * @param resnetsPerLevel in the decoder
   * @param latentsMean of each channel, added to the latents
   * @param latentsStd of each channel, that the latents are multiplied by before
   */
  public record Config(
      int latentChannels,
      List<Integer> levelChannels,
      int resnetsPerLevel,
      List<Float> latentsMean,
      List<Float> latentsStd)
      implements VaeConfig {

    /** What is absent has the default of diffusers' class, but for the latents' statistics. */
    public static Config of(ComponentConfig config) {
      int base = config.count("base_dim", 96);
      List<Integer> multiples = config.counts("dim_mult", List.of(1, 2, 4, 4));
      int halvings = config.length("temperal_downsample").orElse(multiples.size() - 1);
      if (halvings != multiples.size() - 1) {
        throw config.wrong("temperal_downsample", "a list of one less than dim_mult");
      }
      if (base % 2 != 0) {
        throw config.wrong("base_dim", "an even number");
      }
      if (config.count("input_channels", AutoencoderKl.RGB) != AutoencoderKl.RGB) {
        throw config.wrong("input_channels", "3: red, green and blue");
      }
      if (config.length("attn_scales").orElse(0) != 0) {
        throw config.wrong("attn_scales", "empty");
      }
      int latents = config.count("z_dim", 16);
      Config vae =
          new Config(
              latents,
              multiples.stream().map(multiple -> Math.multiplyExact(base, multiple)).toList(),
              config.layers("num_res_blocks", 2) + 1,
              config.floats("latents_mean", latents),
              config.floats("latents_std", latents));
      config.requireAllRead(IDLE);
      return vae;
    }

    @Override
    public int scaleFactor() {
      return 1 << (levelChannels.size() - 1);
    }

    @Override
    public int fullSizeChannels() {
      return levelChannels.get(Math.min(1, levelChannels.size() - 1));
    }
  }

  private final Config config;
  private final Weights weights;
  private final Tensor mean;
  private final Tensor deviation;

  private AutoencoderKlQwenImage(Config config, Weights weights, Tensor mean, Tensor deviation) {
    this.config = config;
    this.weights = weights;
    this.mean = mean;
    this.deviation = deviation;
  }

  /** Loads the decoder of the component {@code vae}; the encoder stays on disk. */
  public static AutoencoderKlQwenImage load(Checkpoint checkpoint, WeightLoader loader) {
    Config config = Config.of(checkpoint.config("vae"));
    try (Loading loading = new Loading()) {
      Weights weights =
          loading.add(loader.load(checkpoint.weights("vae"), QwenImageDecoderLayout.of(config)));
      Tensor mean = loading.add(channels(config.latentsMean(), loader));
      Tensor deviation = loading.add(channels(config.latentsStd(), loader));
      loading.complete();
      return new AutoencoderKlQwenImage(config, weights, mean, deviation);
    }
  }

  /** The weights of the component {@code vae} that the decoder uses. */
  public static WeightLayout layout(Checkpoint checkpoint) {
    return QwenImageDecoderLayout.of(Config.of(checkpoint.config("vae")));
  }

  private static Tensor channels(List<Float> values, WeightLoader loader) {
    float[] array = new float[values.size()];
    for (int i = 0; i < array.length; i++) {
      array[i] = values.get(i);
    }
    return Tensor.of(array, loader.device(), loader.dtype());
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
    try (Tensor unscaled = NETWORK.tensor("unscale", latents, mean, deviation);
        Tensor decoded =
            DecodingPasses.of(unscaled, config.scaleFactor()).decode(unscaled, this::decoded);
        Tensor clamped = NETWORK.tensor("clamp", decoded)) {
      probe.record("vae_in", unscaled);
      probe.record(VaeConfig.DECODED, decoded);
      probe.record("vae_out", clamped);
      return NETWORK.tensor("denormalize", clamped);
    }
  }

  private Tensor decoded(Tensor unscaled) {
    return NETWORK.tensor(
        "decode", weights, unscaled, config.levelChannels().size(), config.resnetsPerLevel());
  }

  @Override
  public void close() {
    deviation.close();
    mean.close();
    weights.close();
  }
}
