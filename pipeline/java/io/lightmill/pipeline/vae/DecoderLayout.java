package io.lightmill.pipeline.vae;

import io.lightmill.pipeline.checkpoint.WeightLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** The weights of {@code AutoencoderKL}'s decoder; the encoder's weights are not loaded. */
final class DecoderLayout {

  /** Names of the attention's projections in checkpoints from before 2023. */
  private static final Map<String, String> OLD_ATTENTION =
      Map.of("query", "to_q", "key", "to_k", "value", "to_v", "proj_attn", "to_out.0");

  private static final String ATTENTION = "decoder.mid_block.attentions.0.";

  private final WeightLayout layout =
      new WeightLayout()
          .named(DecoderLayout::currentName)
          .unused("encoder\\..*|quant_conv\\..*|post_quant_conv\\..*|bn\\..*");

  private DecoderLayout() {}

  static WeightLayout of(AutoencoderKl.Config config) {
    DecoderLayout decoder = new DecoderLayout();
    List<Integer> channels = new ArrayList<>(config.blockOutChannels());
    Collections.reverse(channels);
    int latents = config.latentChannels();
    if (config.postQuantConv()) {
      decoder.layout.convolution("post_quant_conv", latents, latents, 1);
    }
    decoder.layout.convolution("decoder.conv_in", latents, channels.get(0), 3);
    decoder.middle(channels.get(0), config.midAttention());
    decoder.levels(channels, config.resnetsPerLevel());
    int last = channels.get(channels.size() - 1);
    return decoder
        .layout
        .norm("decoder.conv_norm_out", last)
        .convolution("decoder.conv_out", last, AutoencoderKl.RGB, 3);
  }

  private void middle(int channels, boolean attention) {
    resnet("decoder.mid_block.resnets.0", channels, channels);
    resnet("decoder.mid_block.resnets.1", channels, channels);
    if (attention) {
      layout.norm(ATTENTION + "group_norm", channels);
      for (String projection : List.of("to_q", "to_k", "to_v", "to_out.0")) {
        layout.linear(ATTENTION + projection, channels, channels);
      }
    }
  }

  private void levels(List<Integer> channels, int resnets) {
    int inputs = channels.get(0);
    for (int i = 0; i < channels.size(); i++) {
      String block = "decoder.up_blocks.%d.".formatted(i);
      int outputs = channels.get(i);
      for (int j = 0; j < resnets; j++) {
        resnet(block + "resnets." + j, j == 0 ? inputs : outputs, outputs);
      }
      if (i < channels.size() - 1) {
        layout.upsampling(block + "upsamplers.0.conv", outputs, outputs);
      }
      inputs = outputs;
    }
  }

  private void resnet(String name, int inputs, int outputs) {
    layout
        .norm(name + ".norm1", inputs)
        .convolution(name + ".conv1", inputs, outputs, 3)
        .norm(name + ".norm2", outputs)
        .convolution(name + ".conv2", outputs, outputs, 3);
    if (inputs != outputs) {
      layout.convolution(name + ".conv_shortcut", inputs, outputs, 1);
    }
  }

  /** The current name of a tensor. */
  static String currentName(String name) {
    int dot = name.lastIndexOf('.');
    if (!name.startsWith(ATTENTION) || dot < ATTENTION.length()) {
      return name;
    }
    String layer = name.substring(ATTENTION.length(), dot);
    return ATTENTION + OLD_ATTENTION.getOrDefault(layer, layer) + name.substring(dot);
  }
}
