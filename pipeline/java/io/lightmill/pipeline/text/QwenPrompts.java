package io.lightmill.pipeline.text;

import io.lightmill.pipeline.torch.Tensor;

/**
 * The prompts of a batch, encoded by a Qwen language model.
 *
 * @param ids {@code [batch, tokens]}: text, then padding
 * @param states hidden states of all tokens, {@code [batch, tokens, width]}
 * @param lengths number of text tokens of each prompt
 */
@SuppressWarnings("ArrayRecordComponent") // an argument for the engine; prompts are never compared
public record QwenPrompts(Tensor ids, Tensor states, long[] lengths) implements AutoCloseable {

  @Override
  public void close() {
    states.close();
    ids.close();
  }
}
