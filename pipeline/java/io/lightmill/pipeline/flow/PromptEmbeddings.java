package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorCache;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * The encoded prompts of a batch: diffusers' {@code prompt_embeds} and {@code
 * pooled_prompt_embeds}.
 *
 * @param context hidden states of the prompt's tokens, {@code [batch, tokens, width]}
 * @param pooled one vector per prompt, {@code [batch, width]}; empty if the family has none
 * @param lengths tokens of each prompt that are text; the rest is padding
 */
@SuppressWarnings("ArrayRecordComponent") // an argument for the engine; never compared
public record PromptEmbeddings(Tensor context, Optional<Tensor> pooled, long[] lengths)
    implements TensorCache.Shared<PromptEmbeddings> {

  private static final ScriptModule SCRIPT = ScriptModule.of("flow", "Flow");

  /** Embeddings whose padding the transformer reads as text. */
  public static PromptEmbeddings ofFullLength(Tensor context, Optional<Tensor> pooled) {
    long[] shape = context.shape();
    return new PromptEmbeddings(
        context, pooled, LongStream.generate(() -> shape[1]).limit(shape[0]).toArray());
  }

  /** The embeddings of several prompts as those of a batch; they stay the caller's. */
  static PromptEmbeddings joined(List<PromptEmbeddings> rows) {
    long[] all =
        rows.stream().map(PromptEmbeddings::lengths).flatMapToLong(LongStream::of).toArray();
    try (Loading loading = new Loading()) {
      Tensor contexts =
          loading.add(Tensor.catPadded(rows.stream().map(PromptEmbeddings::context).toList()));
      Optional<Tensor> pools =
          rows.get(0)
              .pooled()
              .map(
                  first ->
                      Tensor.cat(rows.stream().map(row -> row.pooled().orElseThrow()).toList()));
      loading.complete();
      return new PromptEmbeddings(contexts, pools, all);
    }
  }

  /** These embeddings on a device; they may share memory with these. */
  PromptEmbeddings to(Device device) {
    return each(tensor -> tensor.to(device));
  }

  @Override
  public PromptEmbeddings share() {
    return each(Tensor::share);
  }

  private PromptEmbeddings each(UnaryOperator<Tensor> change) {
    try (Loading loading = new Loading()) {
      Tensor contexts = loading.add(change.apply(context));
      Optional<Tensor> pools = pooled.map(change);
      loading.complete();
      return new PromptEmbeddings(contexts, pools, lengths);
    }
  }

  @Override
  public long bytes() {
    return context.bytes() + pooled.map(Tensor::bytes).orElse(0L);
  }

  /** The embeddings of two batches as one; both stay the caller's. */
  PromptEmbeddings followedBy(PromptEmbeddings other) {
    long[] both = Stream.of(lengths, other.lengths).flatMapToLong(LongStream::of).toArray();
    try (Loading loading = new Loading()) {
      Tensor contexts = loading.add(SCRIPT.tensor("join", context, other.context));
      Optional<Tensor> pools =
          pooled.map(first -> Tensor.cat(List.of(first, other.pooled.orElseThrow())));
      loading.complete();
      return new PromptEmbeddings(contexts, pools, both);
    }
  }

  @Override
  public void close() {
    pooled.ifPresent(Tensor::close);
    context.close();
  }
}
