package io.lightmill.pipeline.text;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;
import java.util.stream.LongStream;

/** A Qwen language model with its tokenizer and its prompt template. */
public final class QwenPromptReader implements AutoCloseable {

  private final Device device;
  private final ChatTemplate template;
  private final PromptTokenizer tokenizer;
  private final QwenTextEncoder encoder;

  /** Loads the components {@code tokenizer} and {@code text_encoder}. */
  public QwenPromptReader(
      Checkpoint checkpoint, WeightLoader loader, ChatTemplate template, List<Integer> states) {
    this.device = loader.device();
    this.template = template;
    try (Loading loading = new Loading()) {
      this.tokenizer = loading.add(PromptTokenizer.open(checkpoint, "tokenizer"));
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

  /** One of the hidden states of prompts, by its index among the requested states. */
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
    try (Tensor ids = Tensor.cat(texts, this::ids);
        Tensor states = Tensor.cat(texts, this::encode)) {
      return new QwenPrompts(
          ids.select(rows),
          states.select(rows),
          LongStream.of(rows).map(row -> textTokens(texts.get((int) row))).toArray());
    }
  }

  /** Tokens of the longest of these prompts, including the template. */
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
    try (Tensor onCpu = Tensor.of(text.ids(), 1, text.ids().length)) {
      return onCpu.to(device, DType.I64);
    }
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
