package io.lightmill.pipeline.checkpoint;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;

/**
 * Whether the components of a checkpoint were made for its transformer, as far as configs tell.
 *
 * @param checkpoint that they stand in
 */
public record ComponentFit(Checkpoint checkpoint) {

  /**
   * Holds what the transformer takes against what another component gives.
   *
   * @param key of the transformer's config
   * @param taken its value
   * @param component that gives it
   * @param given by that component
   * @throws LightmillException with {@code CHECKPOINT_INVALID} if they differ
   */
  public void require(String key, int taken, String component, int given) {
    if (taken != given) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s has %d for '%s' where the component '%s' gives %d; fetch the checkpoint whole"
              .formatted(checkpoint.config("transformer").file(), taken, key, component, given));
    }
  }
}
