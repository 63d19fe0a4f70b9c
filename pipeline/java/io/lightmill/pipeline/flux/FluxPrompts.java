package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.torch.Tensor;

/**
 * Encoded prompts of a batch.
 *
 * @param context of T5, {@code [batch, tokens, width]}
 * @param pooled of CLIP, {@code [batch, width]}
 */
record FluxPrompts(Tensor context, Tensor pooled) implements AutoCloseable {

  long tokens() {
    return context.shape()[1];
  }

  @Override
  public void close() {
    pooled.close();
    context.close();
  }
}
