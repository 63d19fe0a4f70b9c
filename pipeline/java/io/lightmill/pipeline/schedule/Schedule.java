package io.lightmill.pipeline.schedule;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;

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

  /**
   * This schedule, unless it holds noise levels that are no numbers.
   *
   * @throws LightmillException with {@code VALUE_INVALID} if it does: nothing can be drawn by it
   */
  Schedule requireNumbers() {
    for (float sigma : sigmas) {
      if (!Float.isFinite(sigma)) {
        throw new LightmillException(
            ErrorCode.VALUE_INVALID,
            "num_inference_steps is %d, for which the checkpoint's scheduler has noise levels that are no numbers (a shift_terminal takes two steps); ask for at least 2"
                .formatted(numInferenceSteps()));
      }
    }
    return this;
  }
}
