package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.TensorProbe;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.text.ClipTextEncoder;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.T5TextEncoder;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;

/** FLUX.1's two readers of a prompt: CLIP for its gist, T5 for its words. */
final class FluxTextEncoders implements AutoCloseable {

  private final Flow flow;
  private final PromptTokenizer clipTokenizer;
  private final PromptTokenizer t5Tokenizer;
  private final ClipTextEncoder clip;
  private final T5TextEncoder t5;

  FluxTextEncoders(Checkpoint checkpoint, WeightLoader loader, Flow flow) {
    this.flow = flow;
    try (Loading loading = new Loading()) {
      this.clipTokenizer = loading.add(PromptTokenizer.open(checkpoint.component("tokenizer")));
      this.t5Tokenizer = loading.add(PromptTokenizer.open(checkpoint.component("tokenizer_2")));
      this.clip = loading.add(ClipTextEncoder.load(checkpoint, "text_encoder", loader));
      this.t5 = loading.add(T5TextEncoder.load(checkpoint, "text_encoder_2", loader));
      loading.complete();
    }
  }

  /** Channels of the context. */
  int contextWidth() {
    return t5.width();
  }

  /** Channels of the pooled prompt. */
  int pooledWidth() {
    return clip.width();
  }

  /**
   * Encodes prompts, equal ones once, each by itself: what a prompt becomes does not depend on its
   * batch.
   *
   * @param call number of this call within its picture, as the probe names it
   */
  FluxPrompts encode(List<String> prompts, int maxSequenceLength, int call, TensorProbe probe) {
    List<String> distinct = prompts.stream().distinct().toList();
    long[] rows = prompts.stream().mapToLong(distinct::indexOf).toArray();
    int clipTokens = Math.min(clipTokenizer.modelMaxLength(), clip.positions());
    try (Tensor clipIds = ids(clipTokenizer, distinct, clipTokens);
        Tensor t5Ids = ids(t5Tokenizer, distinct, maxSequenceLength);
        Tensor hidden = eachAlone(clipIds, clip::encode);
        Tensor pooled = clip.pool(hidden, clipIds);
        Tensor context = eachAlone(t5Ids, t5::encode)) {
      probe.record("tok.tokenizer.%d.input_ids".formatted(call), clipIds);
      probe.record("te.text_encoder.%d.last_hidden_state".formatted(call), hidden);
      probe.record("te.text_encoder.%d.pooler_output".formatted(call), pooled);
      probe.record("tok.tokenizer_2.%d.input_ids".formatted(call), t5Ids);
      probe.record("te.text_encoder_2.%d.last_hidden_state".formatted(call), context);
      return new FluxPrompts(flow.select(context, rows), flow.select(pooled, rows));
    }
  }

  private Tensor ids(PromptTokenizer tokenizer, List<String> prompts, int length) {
    long[] ids =
        prompts.stream()
            .flatMapToLong(prompt -> LongStream.of(tokenizer.encode(prompt, length).ids()))
            .toArray();
    return flow.idsOnDevice(Tensor.of(ids, prompts.size(), length));
  }

  private Tensor eachAlone(Tensor ids, UnaryOperator<Tensor> encoder) {
    List<Long> rows = LongStream.range(0, ids.shape()[0]).boxed().toList();
    return flow.cat(
        rows,
        row -> {
          try (Tensor one = flow.select(ids, new long[] {row})) {
            return encoder.apply(one);
          }
        });
  }

  @Override
  public void close() {
    t5.close();
    clip.close();
    t5Tokenizer.close();
    clipTokenizer.close();
  }
}
