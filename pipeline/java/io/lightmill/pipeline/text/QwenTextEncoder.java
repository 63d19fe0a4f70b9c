package io.lightmill.pipeline.text;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentConfig;
import io.lightmill.pipeline.checkpoint.WeightLayout;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.Weights;
import java.util.List;

/**
 * A Qwen language model as a text encoder: transformers' {@code Qwen3Model}, or the text model of
 * {@code Qwen2_5_VLModel}. It returns some of its hidden states; layers after the last of them are
 * not loaded.
 */
public final class QwenTextEncoder implements AutoCloseable {

  private static final ScriptModule NETWORK = ScriptModule.of("qwen", "QwenModel");

  /** Prefixes of names in all releases, with and without a vision model; longer ones first. */
  private static final List<String> PREFIXES =
      List.of("model.language_model.", "language_model.model.", "language_model.", "model.");

  /** The longest supported text. No table or mask grows with the square of its length. */
  private static final int LONGEST_TEXT = 32_768;

  private final QwenConfig config;
  private final List<Integer> states;
  private final Weights weights;
  private final Weights layers;

  private QwenTextEncoder(QwenConfig config, List<Integer> states, Weights weights) {
    this.config = config;
    this.states = states;
    this.weights = weights;
    this.layers = weights.stack("layers", states.get(states.size() - 1));
  }

  /**
   * Loads a component.
   *
   * @param component such as {@code text_encoder}
   * @param states numbers of the hidden states to return, ascending, as transformers counts: 0 is
   *     the input of the first layer; the last one, also -1, follows the final norm
   */
  public static QwenTextEncoder load(
      Checkpoint checkpoint, String component, List<Integer> states, WeightLoader loader) {
    QwenConfig config = QwenConfig.of(checkpoint.config(component));
    return new QwenTextEncoder(
        config,
        states.stream().map(config::state).toList(),
        loader.load(checkpoint.weights(component), layout(checkpoint, component, states)));
  }

  /** The weight layout of a component up to the last of some hidden states. */
  public static WeightLayout layout(Checkpoint checkpoint, String component, List<Integer> states) {
    ComponentConfig json = checkpoint.config(component);
    QwenConfig config = QwenConfig.of(json);
    int first = config.state(states.get(0));
    int last = config.state(states.get(states.size() - 1));
    if (first < 0 || last > config.layers()) {
      throw json.wrong("num_hidden_layers", "large enough for the hidden states " + states);
    }
    return config
        .layout(last)
        .named(QwenTextEncoder::canonical)
        .unused("norm\\.weight|layers\\..*|lm_head\\.weight|(model\\.)?visual\\..*");
  }

  /**
   * Maximum number of tokens of a text: 32,768, or fewer if the component's config says so.
   *
   * @param component such as {@code text_encoder}
   */
  public static int longestText(Checkpoint checkpoint, String component) {
    return Math.min(LONGEST_TEXT, QwenConfig.positions(checkpoint.config(component)));
  }

  private static String canonical(String name) {
    return PREFIXES.stream()
        .filter(name::startsWith)
        .findFirst()
        .map(prefix -> name.substring(prefix.length()))
        .orElse(name);
  }

  /** Channels of some hidden states together, from the layout of a component. */
  public static int width(WeightLayout layout, List<Integer> states) {
    return states.size() * layout.size("embed_tokens.weight", 1);
  }

  /**
   * The hidden states of one text, concatenated: {@code [1, tokens, width]}. Padding attends to the
   * text, but not to padding.
   *
   * @param ids {@code [1, tokens]} on the encoder's device: text, then padding
   * @param textTokens number of text tokens, at least 1
   */
  public Tensor encode(Tensor ids, int textTokens) {
    return NETWORK.tensor(
        "forward",
        weights,
        layers,
        ids,
        textTokens,
        states.stream().mapToLong(Integer::longValue).toArray(),
        config.heads(),
        config.keyHeads(),
        config.headWidth(),
        config.ropeTheta(),
        config.rmsNormEps());
  }

  /** One of the returned hidden states, by index, {@code [batch, tokens, channels]}. */
  public Tensor state(Tensor encoded, int number) {
    return NETWORK.tensor("state", encoded, number, states.size());
  }

  @Override
  public void close() {
    layers.close();
    weights.close();
  }
}
