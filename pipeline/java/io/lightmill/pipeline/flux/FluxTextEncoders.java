package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.flow.PromptEmbeddings;
import io.lightmill.pipeline.flow.PromptTexts;
import io.lightmill.pipeline.text.ClipTextEncoder;
import io.lightmill.pipeline.text.PromptRows;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.T5TextEncoder;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.Optional;

/** FLUX.1's text encoders: CLIP for the pooled prompt, T5 for the hidden states of its tokens. */
final class FluxTextEncoders implements AutoCloseable {

  private final Device device;
  private final PromptTokenizer clipTokenizer;
  private final PromptTokenizer t5Tokenizer;
  private final ClipTextEncoder clip;
  private final T5TextEncoder t5;

  FluxTextEncoders(Checkpoint checkpoint, WeightLoader loader) {
    this.device = loader.device();
    try (Loading loading = new Loading()) {
      this.clipTokenizer = loading.add(PromptTokenizer.open(checkpoint, "tokenizer"));
      this.t5Tokenizer = loading.add(PromptTokenizer.open(checkpoint, "tokenizer_2"));
      this.clip = loading.add(ClipTextEncoder.load(checkpoint, "text_encoder", loader));
      this.t5 = loading.add(T5TextEncoder.load(checkpoint, "text_encoder_2", loader));
      loading.complete();
    }
  }

  /** Encodes prompts with CLIP and second prompts with T5; equal ones once. */
  PromptEmbeddings encode(PromptTexts texts, TensorProbe probe) {
    PromptRows clipRows = new PromptRows(device, texts.prompts());
    PromptRows t5Rows = new PromptRows(device, texts.prompts2());
    int call = texts.call();
    int clipTokens = Math.min(clipTokenizer.modelMaxLength(), clip.positions());
    try (Tensor clipIds = clipRows.ids(clipTokenizer, clipTokens);
        Tensor t5Ids = t5Rows.ids(t5Tokenizer, texts.maxSequenceLength());
        Tensor hidden = clip.encode(clipIds);
        Tensor pooled = clip.pool(hidden, clipIds);
        Tensor context = t5.encode(t5Ids);
        Tensor allClipIds = clipRows.spread(clipIds);
        Tensor allHidden = clipRows.spread(hidden);
        Tensor allT5Ids = t5Rows.spread(t5Ids)) {
      Tensor allPooled = clipRows.spread(pooled);
      PromptEmbeddings encoded =
          PromptEmbeddings.ofFullLength(t5Rows.spread(context), Optional.of(allPooled));
      probe.record("tok.tokenizer.%d.input_ids".formatted(call), allClipIds);
      probe.record("te.text_encoder.%d.last_hidden_state".formatted(call), allHidden);
      probe.record("te.text_encoder.%d.pooler_output".formatted(call), allPooled);
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
