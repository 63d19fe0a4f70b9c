package io.lightmill.pipeline.classify;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What DeBERTa-v2 has and BERT lacks.
 *
 * @param kinds {@code c2p} (from contents to positions), {@code p2c}, both or none
 * @param span distances that have an embedding, to each side; 0 without relative attention
 * @param buckets of distances; 0 if each distance has its own
 * @param most greatest distance
 * @param sharedKeys whether positions are projected as contents are
 * @param normed whether the embeddings of distances are normalised
 * @param embeddingWidth of tokens
 */
record DebertaConfig(
    List<String> kinds,
    int span,
    int buckets,
    int most,
    boolean sharedKeys,
    boolean normed,
    int embeddingWidth,
    Optional<Convolution> convolution) {

  /** The convolution beside the first layer. */
  record Convolution(int kernel, int groups, String activation) {}

  static DebertaConfig of(ComponentConfig config, int width, int heads, int positions) {
    boolean relative = config.flag("relative_attention", false);
    int buckets = Math.max(0, config.integer("position_buckets", -1));
    int given = config.integer("max_relative_positions", -1);
    int most = given < 1 ? positions : given;
    List<String> norms = split(config.text("norm_rel_ebd", "none"));
    if (config.count("attention_head_size", width / heads) != width / heads) {
      throw config.wrong("attention_head_size", "hidden_size / num_attention_heads");
    }
    if (config.count("pooler_hidden_size", width) != width) {
      throw config.wrong("pooler_hidden_size", "hidden_size");
    }
    config.integer("padding_idx", 0);
    return new DebertaConfig(
        config.texts("pos_att_type").stream().flatMap(text -> split(text).stream()).toList(),
        !relative ? 0 : buckets > 0 ? buckets : most,
        buckets,
        most,
        config.flag("share_att_key", false),
        relative && norms.contains("layer_norm"),
        config.count("embedding_size", width),
        convolution(config));
  }

  private static Optional<Convolution> convolution(ComponentConfig config) {
    int kernel = config.integer("conv_kernel_size", 0);
    Convolution convolution =
        new Convolution(
            kernel,
            config.count("conv_groups", 1),
            config.choice("conv_act", "tanh", SequenceConfig.HEAD_ACTIVATIONS));
    return kernel > 0 ? Optional.of(convolution) : Optional.empty();
  }

  private static List<String> split(String text) {
    return Stream.of(text.split("\\|")).map(String::strip).toList();
  }

  void declare(WeightLayout layout, int width, int layers) {
    if (span > 0) {
      layout.tensor("encoder.rel_embeddings.weight", 2L * span, width);
      for (int i = 0; i < layers && !sharedKeys; i++) {
        String attention = "encoder.layers.%d.self_attn.".formatted(i);
        if (kinds.contains("c2p")) {
          layout.linear(attention + "pos_key_proj", width, width);
        }
        if (kinds.contains("p2c")) {
          layout.linear(attention + "pos_query_proj", width, width);
        }
      }
    }
    if (normed) {
      layout.norm("encoder.LayerNorm", width);
    }
    if (embeddingWidth != width) {
      layout.linearWithoutBias("embeddings.embed_proj", embeddingWidth, width);
    }
    convolution.ifPresent(
        conv ->
            layout
                .tensor("encoder.conv.conv.weight", width, width / conv.groups(), conv.kernel())
                .tensor("encoder.conv.conv.bias", width)
                .norm("encoder.conv.LayerNorm", width));
  }
}
