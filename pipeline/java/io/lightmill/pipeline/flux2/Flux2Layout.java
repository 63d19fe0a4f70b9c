package io.lightmill.pipeline.flux2;

import io.lightmill.pipeline.checkpoint.WeightLayout;
import java.util.List;

/** The weights of {@code Flux2Transformer2DModel}, which has no biases. */
final class Flux2Layout {

  private final WeightLayout layout = new WeightLayout();
  private final long width;
  private final long inner;
  private final int headWidth;

  private Flux2Layout(Flux2Config config) {
    this.width = config.width();
    this.inner = config.feedForwardWidth();
    this.headWidth = config.headWidth();
  }

  static WeightLayout of(Flux2Config config) {
    Flux2Layout network = new Flux2Layout(config);
    network.ends(config);
    for (int i = 0; i < config.doubleBlocks(); i++) {
      network.doubleBlock("transformer_blocks.%d.".formatted(i));
    }
    for (int i = 0; i < config.singleBlocks(); i++) {
      network.singleBlock("single_transformer_blocks.%d.attn.".formatted(i));
    }
    return network.layout;
  }

  private void ends(Flux2Config config) {
    String embedder = "time_guidance_embed.timestep_embedder.";
    layout
        .linearWithoutBias("x_embedder", config.inChannels(), width)
        .linearWithoutBias("context_embedder", config.contextWidth(), width)
        .linearWithoutBias(embedder + "linear_1", config.sinusoids(), width)
        .linearWithoutBias(embedder + "linear_2", width, width)
        .linearWithoutBias("double_stream_modulation_img.linear", width, 6 * width)
        .linearWithoutBias("double_stream_modulation_txt.linear", width, 6 * width)
        .linearWithoutBias("single_stream_modulation.linear", width, 3 * width)
        .linearWithoutBias("norm_out.linear", width, 2 * width)
        .linearWithoutBias("proj_out", width, config.inChannels());
  }

  private void doubleBlock(String block) {
    for (String projection :
        List.of(
            "to_q",
            "to_k",
            "to_v",
            "to_out.0",
            "add_q_proj",
            "add_k_proj",
            "add_v_proj",
            "to_add_out")) {
      layout.linearWithoutBias(block + "attn." + projection, width, width);
    }
    for (String norm : List.of("norm_q", "norm_k", "norm_added_q", "norm_added_k")) {
      layout.tensor(block + "attn." + norm + ".weight", headWidth);
    }
    for (String stream : List.of("ff", "ff_context")) {
      layout
          .linearWithoutBias(block + stream + ".linear_in", width, 2 * inner)
          .linearWithoutBias(block + stream + ".linear_out", inner, width);
    }
  }

  private void singleBlock(String attention) {
    layout
        .linearWithoutBias(attention + "to_qkv_mlp_proj", width, 3 * width + 2 * inner)
        .linearWithoutBias(attention + "to_out", width + inner, width)
        .tensor(attention + "norm_q.weight", headWidth)
        .tensor(attention + "norm_k.weight", headWidth);
  }
}
