package io.lightmill.pipeline.text;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;
import java.util.stream.LongStream;

/** Texts as the rows of a batch. Equal texts are encoded once. */
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

  /** From a row for each distinct text to a row for each text. */
  public Tensor spread(Tensor ofDistinct) {
    return ofDistinct.select(rows);
  }
}
