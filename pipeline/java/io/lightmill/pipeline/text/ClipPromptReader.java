package io.lightmill.pipeline.text;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.Loading;
import io.lightmill.pipeline.checkpoint.WeightLoader;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.List;

/** A CLIP text encoder with projection, and its tokenizer. */
public final class ClipPromptReader implements AutoCloseable {

  /**
   * Encoded prompts.
   *
   * @param hidden states before the last layer, {@code [prompts, tokens, width]}
   * @param textEmbeds projected prompts, {@code [prompts, width]}
   */
  public record Reading(Tensor hidden, Tensor textEmbeds) implements AutoCloseable {

    @Override
    public void close() {
      textEmbeds.close();
      hidden.close();
    }
  }

  private final String number;
  private final Device device;
  private final PromptTokenizer tokenizer;
  private final ClipTextEncoder encoder;

  /**
   * Loads the components {@code tokenizer} and {@code text_encoder} with a number.
   *
   * @param number suffix of the components' names: empty, or {@code _2}
   */
  public ClipPromptReader(Checkpoint checkpoint, String number, WeightLoader loader) {
    this.number = number;
    this.device = loader.device();
    try (Loading loading = new Loading()) {
      this.tokenizer = loading.add(PromptTokenizer.open(checkpoint, "tokenizer" + number));
      this.encoder =
          loading.add(
              ClipTextEncoder.loadWithProjection(checkpoint, "text_encoder" + number, loader));
      loading.complete();
    }
  }

  /** Maximum number of tokens of a prompt. */
  public int mostTokens() {
    return Math.min(tokenizer.modelMaxLength(), encoder.positions());
  }

  /**
   * Encodes prompts.
   *
   * @param length in tokens, to which they are truncated or padded
   * @param call number of this call within its image, for the probe
   */
  public Reading read(List<String> prompts, int length, int call, TensorProbe probe) {
    PromptRows rows = new PromptRows(device, prompts);
    try (Tensor ids = rows.ids(tokenizer, length);
        Tensor hidden = encoder.penultimate(ids);
        Tensor last = encoder.last(hidden);
        Tensor pooled = encoder.pool(last, ids);
        Tensor projected = encoder.project(pooled);
        Tensor allIds = rows.spread(ids)) {
      Reading reading = new Reading(rows.spread(hidden), rows.spread(projected));
      probe.record("tok.tokenizer%s.%d.input_ids".formatted(number, call), allIds);
      String encoded = "te.text_encoder%s.%d.".formatted(number, call);
      probe.record(encoded + "hidden_states.-2", reading.hidden());
      probe.record(encoded + "text_embeds", reading.textEmbeds());
      return reading;
    }
  }

  @Override
  public void close() {
    encoder.close();
    tokenizer.close();
  }
}
