package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import java.util.List;
import java.util.Optional;
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
    implements AutoCloseable {

  private static final ScriptModule SCRIPT = ScriptModule.of("flow", "Flow");

  /** Embeddings whose padding the transformer reads as text. */
  public static PromptEmbeddings ofFullLength(Tensor context, Optional<Tensor> pooled) {
    long[] shape = context.shape();
    return new PromptEmbeddings(
        context, pooled, LongStream.generate(() -> shape[1]).limit(shape[0]).toArray());
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
