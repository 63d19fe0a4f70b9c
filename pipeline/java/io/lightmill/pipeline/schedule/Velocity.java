package io.lightmill.pipeline.schedule;

import io.lightmill.pipeline.torch.Tensor;

/** The flow's velocity field, as a model sees it. */
@FunctionalInterface
public interface Velocity {

  /**
   * The velocity at a point of the flow.
   *
   * @param latents the point; stays the caller's
   * @param step number of the step, from 0
   * @param timestep in [0, 1000]
   * @return of the latents' shape, to be closed by the caller
   */
  Tensor at(Tensor latents, int step, double timestep);
}
