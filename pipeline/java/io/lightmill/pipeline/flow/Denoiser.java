package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.torch.Handle;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;

/**
 * The transformer with the prompts of a batch: all that stays the same from step to step.
 *
 * <p>{@link #velocity} is one call into the engine. {@link StepCache} calls the parts of the
 * transformer instead: {@code velocity(x, t)} is {@code project(rest(hidden, 0), hidden)} of {@code
 * hidden = embed(x, t)}. Hidden states are a list of tensors that have one row per image: first the
 * image tokens, {@code [batch, tokens, width]}, then what else the blocks read.
 */
public interface Denoiser extends AutoCloseable {

  /**
   * The flow's velocity.
   *
   * @param latents as the transformer reads them; stays the caller's
   * @return of the latents' shape, to be closed by the caller
   */
  Tensor velocity(Tensor latents, FlowStep step);

  /** The hidden states before the first block, to be closed by the caller. */
  Handle embed(Tensor latents, FlowStep step);

  /**
   * The image tokens as the first block reads them: normalized and modulated.
   *
   * @return {@code [batch, rows * columns, width]}, to be closed by the caller
   */
  Tensor modulated(Handle hidden);

  /** The hidden states after the first block, to be closed by the caller. */
  Handle first(Handle hidden);

  /**
   * The image tokens after the last block, to be closed by the caller.
   *
   * @param hidden states of any rows
   * @param done blocks that the hidden states have passed: 0 or 1
   */
  Tensor rest(Handle hidden, int done);

  /**
   * The flow's velocity.
   *
   * @param image tokens after the last block
   * @param hidden states of the same rows, before or after the first block
   * @return of the latents' shape, to be closed by the caller
   */
  Tensor project(Tensor image, Handle hidden);

  /**
   * Shows a velocity to a probe, under the name of diffusers' transformer call.
   *
   * @param step number of the step, from 0
   * @param side 0 for the prompts, 1 for the negative prompts
   * @param sides transformer calls of the step
   */
  default void record(TensorProbe probe, Tensor velocity, int step, int side, int sides) {
    probe.record("tr.%d.out".formatted(sides * step + side), velocity);
  }

  @Override
  void close();
}
