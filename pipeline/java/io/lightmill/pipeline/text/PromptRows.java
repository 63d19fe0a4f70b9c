package io.lightmill.pipeline.text;

import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;
import java.util.stream.LongStream;

/** Texts as the rows of a batch. Equal texts are encoded once. */
public final class PromptRows {

  private final Flow flow;
  private final List<String> distinct;
  private final long[] rows;

  /** Rows on the flow's device. */
  public PromptRows(Flow flow, List<String> texts) {
    this.flow = flow;
    this.distinct = texts.stream().distinct().toList();
    this.rows = texts.stream().mapToLong(distinct::indexOf).toArray();
  }

  /** Token ids, {@code [distinct texts, length]}. */
  public Tensor ids(PromptTokenizer tokenizer, int length) {
    long[] ids =
        distinct.stream()
            .flatMapToLong(text -> LongStream.of(tokenizer.encode(text, length).ids()))
            .toArray();
    return flow.idsOnDevice(Tensor.of(ids, distinct.size(), length));
  }

  /** From a row for each distinct text to a row for each text. */
  public Tensor spread(Tensor ofDistinct) {
    return flow.select(ofDistinct, rows);
  }
}
