package io.lightmill.pipeline.text;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;

/**
 * Texts as the rows of a batch. Equal ones are encoded once, and each by itself: what a text
 * becomes does not depend on its batch.
 */
public final class PromptRows {

  private final Device device;
  private final List<String> distinct;
  private final long[] rows;

  /** Rows on a device. */
  public PromptRows(Device device, List<String> texts) {
    this.device = device;
    this.distinct = texts.stream().distinct().toList();
    this.rows = texts.stream().mapToLong(distinct::indexOf).toArray();
  }

  /** Token ids, {@code [distinct texts, length]}. */
  public Tensor ids(PromptTokenizer tokenizer, int length) {
    long[] ids =
        distinct.stream()
            .flatMapToLong(text -> LongStream.of(tokenizer.encode(text, length).ids()))
            .toArray();
    try (Tensor onCpu = Tensor.of(ids, distinct.size(), length)) {
      return onCpu.to(device, DType.I64);
    }
  }

  /** What the encoder makes of each row, joined again. */
  public Tensor eachAlone(Tensor ofDistinct, UnaryOperator<Tensor> encoder) {
    List<Long> each = LongStream.range(0, distinct.size()).boxed().toList();
    return Tensor.cat(
        each,
        row -> {
          try (Tensor one = ofDistinct.select(row)) {
            return encoder.apply(one);
          }
        });
  }

  /** From a row for each distinct text to a row for each text. */
  public Tensor spread(Tensor ofDistinct) {
    return ofDistinct.select(rows);
  }
}
