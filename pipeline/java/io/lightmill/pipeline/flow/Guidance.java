package io.lightmill.pipeline.flow;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;

/**
 * How a family guides: which argument weighs it, how the two velocities combine, and when.
 *
 * @param argument of the request that is the weight
 * @param joint whether one transformer call evaluates negative prompts and prompts together
 * @param rule that combines the velocities
 * @param normLimit the largest norm of a guided velocity, as a multiple of the norm of the velocity
 *     under the prompt; 0 for no limit. Rules other than Z-Image's ignore it.
 * @param truncation model time, from 0 at the noise to 1 at the image, after which guidance is off;
 *     above 1 it never is
 */
public record Guidance(
    ClassifierFreeGuidance argument,
    boolean joint,
    Rule rule,
    double normLimit,
    double truncation) {

  private static final ScriptModule SCRIPT = ScriptModule.of("flow", "Flow");

  /** Combines the velocities of a step. */
  @FunctionalInterface
  public interface Rule {

    /** {@code negative + weight * (positive - negative)}. */
    Rule LINEAR =
        (negative, positive, weight, normLimit) ->
            SCRIPT.tensor("guide", negative, positive, weight);

    /**
     * The guided velocity.
     *
     * @param negative under the negative prompts; stays the caller's
     * @param positive under the prompts; stays the caller's
     * @param weight {@code [batch]}, the argument of each request
     * @param normLimit of the guidance
     */
    Tensor combine(Tensor negative, Tensor positive, Tensor weight, double normLimit);
  }

  /** Guidance by a rule without limits, in two transformer calls per step. */
  public static Guidance of(ClassifierFreeGuidance argument, Rule rule) {
    return new Guidance(argument, /* joint= */ false, rule, 0, Double.POSITIVE_INFINITY);
  }

  /** This guidance with one transformer call per step. */
  public Guidance inOneCall() {
    return new Guidance(argument, /* joint= */ true, rule, normLimit, truncation);
  }

  /** This guidance by another argument. */
  public Guidance by(ClassifierFreeGuidance other) {
    return new Guidance(other, joint, rule, normLimit, truncation);
  }

  /** This guidance with other limits. */
  public Guidance within(double newNormLimit, double newTruncation) {
    return new Guidance(argument, joint, rule, newNormLimit, newTruncation);
  }

  /** Whether guidance is on at a timestep in [0, 1000]; 1000 is pure noise. */
  boolean guidesAt(double timestep) {
    float modelTime = (1000 - (float) timestep) / 1000;
    return truncation > 1 || modelTime <= truncation;
  }
}
