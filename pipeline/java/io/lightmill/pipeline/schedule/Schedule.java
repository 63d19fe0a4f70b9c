package io.lightmill.pipeline.schedule;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;

/**
 * The noise levels (sigmas) of one run of the sampler.
 *
 * @param sigmas one before each step and one after the last
 * @param timesteps input of the transformer at each step, in training timesteps
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
   * This schedule, if all its sigmas are finite.
   *
   * @throws LightmillException with {@code VALUE_INVALID} if one is not
   */
  public Schedule requireFinite() {
    for (float sigma : sigmas) {
      if (!Float.isFinite(sigma)) {
        throw new LightmillException(
            ErrorCode.VALUE_INVALID,
            "num_inference_steps is %d, for which the checkpoint's scheduler has no finite sigmas (shift_terminal needs two steps); set it to 2 or more"
                .formatted(numInferenceSteps()));
      }
    }
    return this;
  }
}
