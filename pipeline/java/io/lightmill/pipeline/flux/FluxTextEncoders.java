package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.text.ClipTextEncoder;
import io.lightmill.pipeline.text.PromptRows;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.T5TextEncoder;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.List;

/** FLUX.1's two readers of a prompt: CLIP for its gist, T5 for its words. */
final class FluxTextEncoders implements AutoCloseable {

  /**
   * Encoded prompts of a batch.
   *
   * @param context of T5, {@code [batch, tokens, width]}
   * @param pooled of CLIP, {@code [batch, width]}
   */
  record Prompts(Tensor context, Tensor pooled) implements AutoCloseable {

    long tokens() {
      return context.shape()[1];
    }

    @Override
    public void close() {
      pooled.close();
      context.close();
    }
  }

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
   * Encodes prompts, equal ones once.
   *
   * @param prompts that CLIP reads
   * @param prompts2 that T5 reads, one for each
   * @param call number of this call within its picture, as the probe names it
   */
  Prompts encode(
      List<String> prompts,
      List<String> prompts2,
      int maxSequenceLength,
      int call,
      TensorProbe probe) {
    PromptRows clipRows = new PromptRows(flow, prompts);
    PromptRows t5Rows = new PromptRows(flow, prompts2);
    int clipTokens = Math.min(clipTokenizer.modelMaxLength(), clip.positions());
    try (Tensor clipIds = clipRows.ids(clipTokenizer, clipTokens);
        Tensor t5Ids = t5Rows.ids(t5Tokenizer, maxSequenceLength);
        Tensor hidden = clip.encode(clipIds);
        Tensor pooled = clip.pool(hidden, clipIds);
        Tensor context = t5.encode(t5Ids);
        Tensor allClipIds = clipRows.spread(clipIds);
        Tensor allHidden = clipRows.spread(hidden);
        Tensor allT5Ids = t5Rows.spread(t5Ids)) {
      Prompts encoded = new Prompts(t5Rows.spread(context), clipRows.spread(pooled));
      probe.record("tok.tokenizer.%d.input_ids".formatted(call), allClipIds);
      probe.record("te.text_encoder.%d.last_hidden_state".formatted(call), allHidden);
      probe.record("te.text_encoder.%d.pooler_output".formatted(call), encoded.pooled());
      probe.record("tok.tokenizer_2.%d.input_ids".formatted(call), allT5Ids);
      probe.record("te.text_encoder_2.%d.last_hidden_state".formatted(call), encoded.context());
      return encoded;
    }
  }

  @Override
  public void close() {
    t5.close();
    clip.close();
    t5Tokenizer.close();
    clipTokenizer.close();
  }
}
