package io.lightmill.pipeline.text;

import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The values of {@code config.json} that a Qwen language model uses. */
record QwenConfig(
    int vocabulary,
    int width,
    int feedForwardWidth,
    int layers,
    int heads,
    int keyHeads,
    int headWidth,
    boolean headNorms,
    boolean inputBiases,
    boolean outputBias,
    double ropeTheta,
    double rmsNormEps) {

  private static final String QWEN3 = "qwen3";
  private static final List<String> MODELS =
      List.of(QWEN3, "qwen2", "qwen2_5_vl", "qwen2_5_vl_text");
  private static final List<String> PLAIN_ROPES = List.of("default", "mrope");

  /**
   * Reads the config of the text model. Absent values take the defaults of transformers' {@code
   * Qwen3Config} or {@code Qwen2_5_VLTextConfig}.
   */
  static QwenConfig of(ComponentConfig component) {
    ComponentConfig config = textConfig(component);
    boolean qwen3 = config.choice("model_type", QWEN3, MODELS).equals(QWEN3);
    config.choice("hidden_act", "silu", List.of("silu"));
    if (config.flag("use_sliding_window", false)) {
      throw config.wrong("use_sliding_window", "false");
    }
    int width = config.count("hidden_size", qwen3 ? 4096 : 8192);
    int heads = config.count("num_attention_heads", qwen3 ? 32 : 64);
    int keyHeads = config.count("num_key_value_heads", qwen3 ? 32 : 8);
    if (heads % keyHeads != 0) {
      throw config.wrong("num_key_value_heads", "a divisor of num_attention_heads, " + heads);
    }
    int headWidth = config.count("head_dim", qwen3 ? 128 : width / heads);
    if (headWidth % 2 != 0) {
      throw config.wrong("head_dim", "an even number");
    }
    if (config.names("layer_types").stream().anyMatch(type -> !type.equals("full_attention"))) {
      throw config.wrong("layer_types", "full_attention alone");
    }
    boolean attentionBias = config.flag("attention_bias", false);
    QwenConfig encoder =
        new QwenConfig(
            config.count("vocab_size", qwen3 ? 151936 : 152064),
            width,
            config.count("intermediate_size", qwen3 ? 22016 : 29568),
            config.layers("num_hidden_layers", qwen3 ? 32 : 80),
            heads,
            keyHeads,
            headWidth,
            qwen3,
            !qwen3 || attentionBias,
            qwen3 && attentionBias,
            ropeTheta(config),
            config.positive("rms_norm_eps", qwen3 ? 1e-6 : 1e-5));
    config.requireAllRead(IdleKeys.OF_QWEN);
    requireAllRead(component, config);
    return encoder;
  }

  /** Beside a {@code text_config}, the same keys may stand once more, and are ignored. */
  private static void requireAllRead(ComponentConfig component, ComponentConfig config) {
    if (component != config) {
      Set<String> idle = new HashSet<>(IdleKeys.OF_QWEN);
      idle.addAll(config.keysRead());
      component.requireAllRead(idle);
    }
  }

  /** Maximum number of tokens. */
  static int positions(ComponentConfig component) {
    return textConfig(component).count("max_position_embeddings", 32768);
  }

  private static ComponentConfig textConfig(ComponentConfig component) {
    return component.object("text_config").orElse(component);
  }

  /** Transformers 5 writes {@code rope_parameters}; older releases write two separate keys. */
  private static double ropeTheta(ComponentConfig config) {
    double theta = config.positive("rope_theta", 1_000_000);
    for (String key : List.of("rope_scaling", "rope_parameters")) {
      Optional<ComponentConfig> rope = config.object(key);
      if (rope.isPresent()) {
        String type = rope.get().text("rope_type", rope.get().text("type", "default"));
        if (!PLAIN_ROPES.contains(type)) {
          throw config.wrong(key, "of the type default");
        }
        theta = rope.get().positive("rope_theta", theta);
        rope.get().requireAllRead(IdleKeys.OF_PLAIN_ROPES);
      }
    }
    return theta;
  }

  /** Turns a negative number of a hidden state, counted from the end, into one from the start. */
  int state(int number) {
    return number < 0 ? layers + 1 + number : number;
  }

  /** The weight layout up to a hidden state. */
  WeightLayout layout(int lastState) {
    WeightLayout layout = new WeightLayout().tensor("embed_tokens.weight", vocabulary, width);
    for (int i = 0; i < lastState; i++) {
      layer(layout, "layers.%d.".formatted(i));
    }
    return lastState == layers ? layout.tensor("norm.weight", width) : layout;
  }

  private void layer(WeightLayout layout, String layer) {
    String attention = layer + "self_attn.";
    layout
        .tensor(layer + "input_layernorm.weight", width)
        .tensor(layer + "post_attention_layernorm.weight", width);
    linear(layout, attention + "q_proj", width, (long) heads * headWidth, inputBiases);
    linear(layout, attention + "k_proj", width, (long) keyHeads * headWidth, inputBiases);
    linear(layout, attention + "v_proj", width, (long) keyHeads * headWidth, inputBiases);
    linear(layout, attention + "o_proj", (long) heads * headWidth, width, outputBias);
    if (headNorms) {
      layout
          .tensor(attention + "q_norm.weight", headWidth)
          .tensor(attention + "k_norm.weight", headWidth);
    }
    layout
        .linearWithoutBias(layer + "mlp.gate_proj", width, feedForwardWidth)
        .linearWithoutBias(layer + "mlp.up_proj", width, feedForwardWidth)
        .linearWithoutBias(layer + "mlp.down_proj", feedForwardWidth, width);
  }

  private static void linear(
      WeightLayout layout, String name, long inputs, long outputs, boolean bias) {
    if (bias) {
      layout.linear(name, inputs, outputs);
    } else {
      layout.linearWithoutBias(name, inputs, outputs);
    }
  }
}
