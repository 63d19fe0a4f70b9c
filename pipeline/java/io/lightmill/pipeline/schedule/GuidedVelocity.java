package io.lightmill.pipeline.schedule;

import io.lightmill.pipeline.torch.Tensor;
import io.lightmill.pipeline.torch.TensorProbe;
import java.util.Optional;

/**
 * The velocity under the prompts of a batch and, with guidance, away from that under its negative
 * prompts: two evaluations a step.
 *
 * @param prompts the velocity under them
 * @param negative the velocity under the negative prompts; empty without guidance
 * @param guide what the two come to
 * @param probe sees each evaluation, numbered as diffusers makes them
 */
public record GuidedVelocity(
    Evaluation prompts, Optional<Evaluation> negative, Guide guide, TensorProbe probe)
    implements Velocity {

  /** The transformer under some prompts. */
  @FunctionalInterface
  public interface Evaluation {

    /** The velocity at a point of the flow and a timestep in [0, 1000]. */
    Tensor at(Tensor latents, double timestep);
  }

  /** A rule of guidance. */
  @FunctionalInterface
  public interface Guide {

    /** What two velocities come to; both stay the caller's. */
    Tensor from(Tensor away, Tensor towards);
  }

  @Override
  public Tensor at(Tensor latents, int step, double timestep) {
    if (negative.isEmpty()) {
      return evaluate(prompts, latents, timestep, step);
    }
    try (Tensor towards = evaluate(prompts, latents, timestep, 2 * step);
        Tensor away = evaluate(negative.get(), latents, timestep, 2 * step + 1)) {
      return guide.from(away, towards);
    }
  }

  private Tensor evaluate(Evaluation evaluation, Tensor latents, double timestep, int call) {
    Tensor velocity = evaluation.at(latents, timestep);
    probe.record("tr.%d.out".formatted(call), velocity);
    return velocity;
  }
}
