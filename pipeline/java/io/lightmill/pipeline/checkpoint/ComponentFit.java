package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;

/**
 * Checks that the components of a checkpoint match its transformer, by their configs.
 *
 * @param checkpoint that holds them
 */
public record ComponentFit(Checkpoint checkpoint) {

  /**
   * Compares an input size of the transformer with the output size of another component.
   *
   * @param key of the transformer's config
   * @param taken its value, the input size
   * @param component that provides the input
   * @param given the component's output size
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if they differ
   */
  public void require(String key, int taken, String component, int given) {
    if (taken != given) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s has %d for '%s' where the component '%s' gives %d; fetch the whole checkpoint"
              .formatted(
                  checkpoint.config("transformer").source().name(), taken, key, component, given));
    }
  }
}
