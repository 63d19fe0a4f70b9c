package io.lightmill.pipeline.vae;

import io.lightmill.pipeline.checkpoint.WeightLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The weights of {@code AutoencoderKLQwenImage}'s decoder, without those between frames: an image
 * is one frame.
 */
final class QwenImageDecoderLayout {

  private static final String ATTENTION = "decoder.mid_block.attentions.0.";

  private final WeightLayout layout =
      new WeightLayout().unused("encoder\\..*|quant_conv\\..*|decoder\\..*\\.time_conv\\..*");

  private QwenImageDecoderLayout() {}

  static WeightLayout of(AutoencoderKlQwenImage.Config config) {
    QwenImageDecoderLayout decoder = new QwenImageDecoderLayout();
    List<Integer> channels = new ArrayList<>(config.levelChannels());
    Collections.reverse(channels);
    int latents = config.latentChannels();
    int last = channels.get(channels.size() - 1);
    decoder.convolution("post_quant_conv", latents, latents, 1);
    decoder.convolution("decoder.conv_in", latents, channels.get(0), 3);
    decoder.middle(channels.get(0));
    decoder.levels(channels, config.resnetsPerLevel());
    decoder.layout.tensor("decoder.norm_out.gamma", last, 1, 1, 1);
    decoder.convolution("decoder.conv_out", last, AutoencoderKl.RGB, 3);
    return decoder.layout;
  }

  private void middle(int channels) {
    resnet("decoder.mid_block.resnets.0", channels, channels);
    resnet("decoder.mid_block.resnets.1", channels, channels);
    layout
        .tensor(ATTENTION + "norm.gamma", channels, 1, 1)
        .convolution(ATTENTION + "to_qkv", channels, 3L * channels, 1)
        .convolution(ATTENTION + "proj", channels, channels, 1);
  }

  /** Each step up in resolution halves the channels. */
  private void levels(List<Integer> channels, int resnets) {
    int inputs = channels.get(0);
    for (int i = 0; i < channels.size(); i++) {
      String block = "decoder.up_blocks.%d.".formatted(i);
      int outputs = channels.get(i);
      for (int j = 0; j < resnets; j++) {
        resnet(block + "resnets." + j, j == 0 ? inputs : outputs, outputs);
      }
      if (i < channels.size() - 1) {
        layout.upsampling(block + "upsamplers.0.resample.1", outputs, outputs / 2);
      }
      inputs = outputs / 2;
    }
  }

  private void resnet(String name, int inputs, int outputs) {
    layout.tensor(name + ".norm1.gamma", inputs, 1, 1, 1);
    convolution(name + ".conv1", inputs, outputs, 3);
    layout.tensor(name + ".norm2.gamma", outputs, 1, 1, 1);
    convolution(name + ".conv2", outputs, outputs, 3);
    if (inputs != outputs) {
      convolution(name + ".conv_shortcut", inputs, outputs, 1);
    }
  }

  /** A convolution over time and image. */
  private void convolution(String name, long inputs, long outputs, long kernel) {
    layout
        .tensor(name + ".weight", outputs, inputs, kernel, kernel, kernel)
        .tensor(name + ".bias", outputs);
  }
}
