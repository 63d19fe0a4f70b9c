package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.StepCaching;
import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.Arrays;
import java.util.Optional;

/** The transformer under the prompts of one side of guidance, or of both, with its step cache. */
final class GuidanceSide implements AutoCloseable {

  private final Denoiser denoiser;
  private final Optional<StepCache> cache;
  private final int[] calls;
  private final TensorProbe probe;

  /**
   * @param denoiser of this side; closed with it
   * @param rows of its batch
   */
  GuidanceSide(
      Denoiser denoiser, StepCaching caching, TokenGrid grid, int rows, TensorProbe probe) {
    this.denoiser = denoiser;
    this.cache =
        caching.isNone()
            ? Optional.empty()
            : Optional.of(new StepCache(caching, denoiser, grid, rows));
    this.calls = new int[rows];
    this.probe = probe;
  }

  /**
   * The velocity at the next step of this side; to be closed by the caller.
   *
   * @param number of the side: 0 for the prompts, 1 for the negative prompts
   * @param sides transformer calls of the step
   */
  Tensor velocity(Tensor latents, FlowStep step, int number, int sides) {
    Tensor velocity;
    if (cache.isPresent()) {
      velocity = cache.get().velocity(latents, step);
    } else {
      Arrays.setAll(calls, row -> calls[row] + 1);
      velocity = denoiser.velocity(latents, step);
    }
    denoiser.record(probe, velocity, step.number(), number, sides);
    return velocity;
  }

  /** Calls that each row took. */
  int[] calls() {
    return cache.map(StepCache::calls).orElseGet(calls::clone);
  }

  @Override
  public void close() {
    cache.ifPresent(StepCache::close);
    denoiser.close();
  }
}
