package io.lightmill.pipeline.stablediffusion3;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.flow.PromptEmbeddings;
import io.lightmill.pipeline.flow.PromptTexts;
import io.lightmill.pipeline.text.ClipPromptReader;
import io.lightmill.pipeline.text.PromptRows;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.T5TextEncoder;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.List;
import java.util.Optional;

/** Stable Diffusion 3's text encoders: two CLIPs and T5, which a checkpoint may leave out. */
final class Sd3TextEncoders implements AutoCloseable {

  static final String T5 = "text_encoder_3";
  static final String T5_TOKENIZER = "tokenizer_3";

  private record Words(PromptTokenizer tokenizer, T5TextEncoder encoder) {}

  private final Device device;
  private final DType dtype;
  private final int contextWidth;
  private final ClipPromptReader clip;
  private final ClipPromptReader clip2;
  private final Optional<Words> t5;

  /** Loads all text encoders. */
  Sd3TextEncoders(Checkpoint checkpoint, Sd3Config transformer, WeightLoader loader) {
    this.device = loader.device();
    this.dtype = loader.dtype();
    this.contextWidth = transformer.contextWidth();
    try (Loading loading = new Loading()) {
      this.clip = new ClipPromptReader(checkpoint, "", loader);
      loading.add(clip);
      this.clip2 = loading.add(new ClipPromptReader(checkpoint, "_2", loader));
      this.t5 =
          checkpoint.components().contains(T5)
              ? Optional.of(
                  new Words(
                      loading.add(PromptTokenizer.open(checkpoint, T5_TOKENIZER)),
                      loading.add(T5TextEncoder.load(checkpoint, T5, loader))))
              : Optional.empty();
      loading.complete();
    }
  }

  /** Encodes prompts with both CLIPs and T5; equal ones once. */
  PromptEmbeddings encode(PromptTexts texts, TensorProbe probe) {
    int clipTokens = Math.min(clip.mostTokens(), clip2.mostTokens());
    int call = texts.call();
    try (ClipPromptReader.Reading first = clip.read(texts.prompts(), clipTokens, call, probe);
        ClipPromptReader.Reading second = clip2.read(texts.prompts2(), clipTokens, call, probe);
        Tensor words = words(texts.prompts3(), texts.maxSequenceLength(), call, probe)) {
      return PromptEmbeddings.ofFullLength(
          Sd3Transformer.NETWORK.tensor("context", first.hidden(), second.hidden(), words),
          Optional.of(
              Sd3Transformer.NETWORK.tensor("pooled", first.textEmbeds(), second.textEmbeds())));
    }
  }

  /** The hidden states of T5, or zeros where the checkpoint leaves it out. */
  private Tensor words(List<String> prompts, int length, int call, TensorProbe probe) {
    if (t5.isEmpty()) {
      float[] zeros = new float[Math.multiplyExact(length, contextWidth)];
      try (Tensor onCpu = Tensor.of(zeros, 1, length, contextWidth);
          Tensor one = onCpu.to(device, dtype)) {
        return one.select(new long[prompts.size()]);
      }
    }
    PromptRows rows = new PromptRows(device, prompts);
    try (Tensor ids = rows.ids(t5.get().tokenizer(), length);
        Tensor hidden = t5.get().encoder().encode(ids);
        Tensor allIds = rows.spread(ids)) {
      Tensor all = rows.spread(hidden);
      probe.record("tok.%s.%d.input_ids".formatted(T5_TOKENIZER, call), allIds);
      probe.record("te.%s.%d.last_hidden_state".formatted(T5, call), all);
      return all;
    }
  }

  @Override
  public void close() {
    t5.ifPresent(
        words -> {
          words.encoder().close();
          words.tokenizer().close();
        });
    clip2.close();
    clip.close();
  }
}
