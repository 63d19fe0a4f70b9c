package io.lightmill.pipeline.text;

import io.lightmill.pipeline.torch.Tensor;

/**
 * Prompts of a batch as a Qwen language model reads them.
 *
 * @param ids {@code [batch, tokens]}: text, then padding
 * @param states hidden states of all tokens, {@code [batch, tokens, width]}
 * @param lengths tokens of each prompt that are text
 */
@SuppressWarnings("ArrayRecordComponent") // an argument for the engine; prompts are never compared
public record QwenPrompts(Tensor ids, Tensor states, long[] lengths) implements AutoCloseable {

  @Override
  public void close() {
    states.close();
    ids.close();
  }
}
