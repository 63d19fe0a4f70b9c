package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import java.util.List;

/** States the weights that diffusion transformers have in common, under diffusers' layer names. */
public final class TransformerLayout {

  /** Sinusoids that timesteps are embedded by. */
  public static final int SINUSOIDS = 256;

  /** Widening of the feed-forward layers. */
  public static final long MLP_RATIO = 4;

  /** The most channels of a token; no released model has a tenth. */
  private static final long MOST_CHANNELS = 1 << 20;

  private static final List<String> IMAGE_PROJECTIONS = List.of("to_q", "to_k", "to_v", "to_out.0");
  private static final List<String> TEXT_PROJECTIONS =
      List.of("add_q_proj", "add_k_proj", "add_v_proj", "to_add_out");

  private final WeightLayout layout = new WeightLayout();
  private final long width;
  private final long headWidth;
  private final boolean biases;

  /**
   * @param width channels of a token
   * @param headWidth channels of an attention head
   * @param biases whether linear layers have one
   */
  public TransformerLayout(long width, long headWidth, boolean biases) {
    this.width = width;
    this.headWidth = headWidth;
    this.biases = biases;
  }

  /** The weights stated so far, for layers that one transformer alone has. */
  public WeightLayout layout() {
    return layout;
  }

  /** A linear layer. */
  public TransformerLayout linear(String name, long inputs, long outputs) {
    if (biases) {
      layout.linear(name, inputs, outputs);
    } else {
      layout.linearWithoutBias(name, inputs, outputs);
    }
    return this;
  }

  /** Linear layers of the transformer's width, all under one prefix. */
  public TransformerLayout projections(String prefix, List<String> names) {
    names.forEach(name -> linear(prefix + name, width, width));
    return this;
  }

  /** RMS norms over the channels of a head, all under one prefix. */
  public TransformerLayout headNorms(String prefix, List<String> names) {
    names.forEach(name -> layout.tensor(prefix + name + ".weight", headWidth));
    return this;
  }

  /** An embedding by two layers, {@code name.linear_1} and {@code name.linear_2}. */
  public TransformerLayout embedder(String name, long inputs) {
    return linear(name + ".linear_1", inputs, width).linear(name + ".linear_2", width, width);
  }

  /** A feed-forward network, {@code name.net.0.proj} and {@code name.net.2}. */
  public TransformerLayout feedForward(String name) {
    return linear(name + ".net.0.proj", width, MLP_RATIO * width)
        .linear(name + ".net.2", MLP_RATIO * width, width);
  }

  /** Attention over text and image, each with projections and norms of its own. */
  public TransformerLayout jointAttention(String name) {
    return projections(name, IMAGE_PROJECTIONS)
        .projections(name, TEXT_PROJECTIONS)
        .headNorms(name, List.of("norm_q", "norm_k", "norm_added_q", "norm_added_k"));
  }

  /**
   * The channels of a head that each position axis rotates.
   *
   * @param key of the list in the transformer's config
   * @param absent default of diffusers' class, of the same length
   * @param headWidth their sum
   * @param headWidthName the keys that decide the sum, for the message
   */
  public static List<Long> ropeWidths(
      ComponentConfig config,
      String key,
      List<Integer> absent,
      int headWidth,
      String headWidthName) {
    List<Integer> widths = config.counts(key, absent);
    if (widths.size() != absent.size()
        || widths.stream().anyMatch(width -> width % 2 != 0)
        || widths.stream().mapToLong(width -> width).sum() != headWidth) {
      throw config.wrong(
          key,
          "%s even widths that add up to %s, %d"
              .formatted(absent.size() == 3 ? "three" : "four", headWidthName, headWidth));
    }
    return widths.stream().map(Integer::longValue).toList();
  }

  /** The channels of all heads; requires fewer than a 32-bit number counts. */
  public static int width(ComponentConfig config, int heads, int headWidth) {
    if ((long) heads * headWidth > MOST_CHANNELS) {
      throw config.wrong(
          "num_attention_heads",
          "at most %d heads of %d channels".formatted(MOST_CHANNELS / headWidth, headWidth));
    }
    return heads * headWidth;
  }

  /** Requires the same channels in and out; returns them. */
  public static int channels(ComponentConfig config, int absent) {
    int inChannels = config.count("in_channels", absent);
    if (config.count("out_channels", inChannels) != inChannels) {
      throw config.wrong("out_channels", "in_channels, " + inChannels);
    }
    return inChannels;
  }

  /** Requires the one patch size that the network is written for. */
  public static void requirePatchSize(ComponentConfig config, int only) {
    if (config.count("patch_size", only) != only) {
      throw config.wrong("patch_size", Integer.toString(only));
    }
  }
}
