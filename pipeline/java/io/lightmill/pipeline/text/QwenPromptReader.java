package io.lightmill.pipeline.text;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;
import java.util.stream.LongStream;

/** A Qwen language model with its tokenizer and the template that its prompts stand in. */
public final class QwenPromptReader implements AutoCloseable {

  private final Flow flow;
  private final ChatTemplate template;
  private final PromptTokenizer tokenizer;
  private final QwenTextEncoder encoder;

  /** Loads the components {@code tokenizer} and {@code text_encoder}. */
  public QwenPromptReader(
      Checkpoint checkpoint,
      WeightLoader loader,
      Flow flow,
      ChatTemplate template,
      List<Integer> states) {
    this.flow = flow;
    this.template = template;
    try (Loading loading = new Loading()) {
      this.tokenizer = loading.add(PromptTokenizer.open(checkpoint.component("tokenizer")));
      this.encoder = loading.add(QwenTextEncoder.load(checkpoint, "text_encoder", states, loader));
      requirePaddingAfterText(checkpoint);
      loading.complete();
    }
  }

  private void requirePaddingAfterText(Checkpoint checkpoint) {
    int length = tokenizer.count(template.around("")) + 1;
    if (tokenizer.encode(template.around(""), length).attentionMask()[0] == 0) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s has \"left\" for 'padding_side', but the text encoder reads padding after the text; set it to \"right\""
              .formatted(checkpoint.component("tokenizer").resolve("tokenizer_config.json")));
    }
  }

  /** Channels of a prompt's states together. */
  public int width() {
    return encoder.width();
  }

  /** One of the states of prompts, numbered from 0 in the order that they were asked for. */
  public Tensor state(QwenPrompts prompts, int number) {
    return encoder.state(prompts.states(), number);
  }

  /**
   * Reads prompts, cut or padded to so many tokens, the template's included. Equal prompts are read
   * once, and each by itself: prompts differ in length, and one alone needs no attention mask.
   */
  public QwenPrompts read(List<String> prompts, int tokens) {
    List<String> distinct = prompts.stream().distinct().toList();
    long[] rows = prompts.stream().mapToLong(distinct::indexOf).toArray();
    List<TokenIds> texts =
        distinct.stream().map(prompt -> tokenizer.encode(template.around(prompt), tokens)).toList();
    try (Tensor ids = flow.cat(texts, this::ids);
        Tensor states = flow.cat(texts, this::encode)) {
      return new QwenPrompts(
          flow.select(ids, rows),
          flow.select(states, rows),
          LongStream.of(rows).map(row -> textTokens(texts.get((int) row))).toArray());
    }
  }

  /** Tokens of the longest of these prompts, the template's included. */
  public int longest(List<String> prompts) {
    return prompts.stream()
        .mapToInt(prompt -> tokenizer.count(template.around(prompt)))
        .max()
        .orElse(0);
  }

  private static int textTokens(TokenIds text) {
    return Math.toIntExact(LongStream.of(text.attentionMask()).sum());
  }

  private Tensor ids(TokenIds text) {
    return flow.idsOnDevice(Tensor.of(text.ids(), 1, text.ids().length));
  }

  private Tensor encode(TokenIds text) {
    try (Tensor ids = ids(text)) {
      return encoder.encode(ids, textTokens(text));
    }
  }

  @Override
  public void close() {
    encoder.close();
    tokenizer.close();
  }
}
