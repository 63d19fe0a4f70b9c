package io.lightmill.pipeline.stablediffusion3;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentFit;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.schedule.Flow;
import io.lightmill.pipeline.text.ClipPromptReader;
import io.lightmill.pipeline.text.PromptRows;
import io.lightmill.pipeline.text.PromptTokenizer;
import io.lightmill.pipeline.text.T5TextEncoder;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.List;
import java.util.Optional;

/** Stable Diffusion 3's readers of a prompt: two CLIPs and, unless it was left out, T5. */
final class Sd3TextEncoders implements AutoCloseable {

  /**
   * What the encoders read for an image.
   *
   * @param prompt of the first CLIP
   * @param prompt2 of the second CLIP
   * @param prompt3 of T5
   * @param negativePrompt of all of them
   */
  record Wording(String prompt, String prompt2, String prompt3, String negativePrompt) {

    static Wording of(ImageRequest request) {
      return new Wording(
          request.prompt(),
          request.prompt2().orElse(request.prompt()),
          request.prompt3().orElse(request.prompt()),
          request.negativePrompt().orElse(""));
    }
  }

  /**
   * Encoded prompts of a batch.
   *
   * @param context {@code [batch, tokens, width]}: of both CLIPs side by side, then of T5
   * @param pooled of both CLIPs, {@code [batch, width]}
   */
  record Prompts(Tensor context, Tensor pooled) implements AutoCloseable {

    /** Joins what the encoders say of the same prompts; their tensors stay the caller's. */
    static Prompts of(ClipPromptReader.Reading clip, ClipPromptReader.Reading clip2, Tensor t5) {
      return new Prompts(
          Sd3Transformer.NETWORK.tensor("context", clip.hidden(), clip2.hidden(), t5),
          Sd3Transformer.NETWORK.tensor("pooled", clip.textEmbeds(), clip2.textEmbeds()));
    }

    /** One after the other; the given prompts stay the caller's. */
    static Prompts cat(Flow flow, List<Prompts> prompts) {
      return new Prompts(
          flow.cat(prompts, each -> flow.copy(each.context())),
          flow.cat(prompts, each -> flow.copy(each.pooled())));
    }

    @Override
    public void close() {
      pooled.close();
      context.close();
    }
  }

  static final String T5 = "text_encoder_3";
  static final String T5_TOKENIZER = "tokenizer_3";

  private record Words(PromptTokenizer tokenizer, T5TextEncoder encoder) {}

  private final Flow flow;
  private final int contextWidth;
  private final ClipPromptReader clip;
  private final ClipPromptReader clip2;
  private final Optional<Words> t5;

  /** Loads all encoders of the checkpoint and holds them against what its transformer takes. */
  Sd3TextEncoders(Checkpoint checkpoint, Sd3Config transformer, WeightLoader loader, Flow flow) {
    this.flow = flow;
    this.contextWidth = transformer.contextWidth();
    try (Loading loading = new Loading()) {
      this.clip = new ClipPromptReader(checkpoint, "", loader, flow);
      loading.add(clip);
      this.clip2 = loading.add(new ClipPromptReader(checkpoint, "_2", loader, flow));
      this.t5 =
          checkpoint.components().contains(T5)
              ? Optional.of(
                  new Words(
                      loading.add(PromptTokenizer.open(checkpoint.component(T5_TOKENIZER))),
                      loading.add(T5TextEncoder.load(checkpoint, T5, loader))))
              : Optional.empty();
      requireFit(new ComponentFit(checkpoint), transformer);
      loading.complete();
    }
  }

  private void requireFit(ComponentFit fit, Sd3Config transformer) {
    int pooled = clip.projectionWidth() + clip2.projectionWidth();
    fit.require("pooled_projection_dim", transformer.pooledWidth(), "text_encoder_2", pooled);
    t5.ifPresent(
        words -> fit.require("joint_attention_dim", contextWidth, T5, words.encoder().width()));
    int features = clip.width() + clip2.width();
    if (features > contextWidth) {
      fit.require("joint_attention_dim", contextWidth, "text_encoder_2", features);
    }
  }

  /**
   * Encodes prompts, equal ones once.
   *
   * @param prompts that the first CLIP reads
   * @param prompts2 that the second reads, one for each
   * @param prompts3 that T5 reads, one for each
   * @param maxSequenceLength tokens of T5, which takes as many also where it is left out
   * @param call number of this call within its picture, as the probe names it
   */
  Prompts encode(
      List<String> prompts,
      List<String> prompts2,
      List<String> prompts3,
      int maxSequenceLength,
      int call,
      TensorProbe probe) {
    int clipTokens = Math.min(clip.mostTokens(), clip2.mostTokens());
    try (ClipPromptReader.Reading first = clip.read(prompts, clipTokens, call, probe);
        ClipPromptReader.Reading second = clip2.read(prompts2, clipTokens, call, probe);
        Tensor words = words(prompts3, maxSequenceLength, call, probe)) {
      return Prompts.of(first, second, words);
    }
  }

  private Tensor words(List<String> prompts, int length, int call, TensorProbe probe) {
    if (t5.isEmpty()) {
      float[] zeros = new float[Math.multiplyExact(length, contextWidth)];
      try (Tensor one = flow.onDevice(Tensor.of(zeros, 1, length, contextWidth))) {
        return flow.select(one, new long[prompts.size()]);
      }
    }
    PromptRows rows = new PromptRows(flow, prompts);
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
