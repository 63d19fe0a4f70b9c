package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;

/** The transformer with the prompts of a batch: all that stays the same from step to step. */
public interface Denoiser extends AutoCloseable {

  /**
   * The flow's velocity.
   *
   * @param latents as the transformer reads them; stays the caller's
   * @param timestep in [0, 1000]; 1000 is pure noise
   * @return of the latents' shape, to be closed by the caller
   */
  Tensor velocity(Tensor latents, double timestep);

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
