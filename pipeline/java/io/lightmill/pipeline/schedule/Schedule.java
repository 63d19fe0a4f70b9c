package io.lightmill.pipeline.schedule;

/**
 * The noise levels that a sampler goes through.
 *
 * @param sigmas one before each step and one after the last
 * @param timesteps what the transformer is told at each step, in training timesteps
 * @param stochastic whether each step draws new noise
 */
@SuppressWarnings("ArrayRecordComponent") // buffers for the engine; schedules are never compared
public record Schedule(float[] sigmas, float[] timesteps, boolean stochastic) {

  public Schedule {
    if (sigmas.length != timesteps.length + 1) {
      throw new IllegalArgumentException(
          "%d sigmas for %d timesteps".formatted(sigmas.length, timesteps.length));
    }
  }

  public int numInferenceSteps() {
    return timesteps.length;
  }
}
