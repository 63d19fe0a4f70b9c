package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;

/** Whether the components of a checkpoint were made for each other, as far as configs tell. */
final class FluxFit {

  private FluxFit() {}

  /**
   * Holds what the transformer takes against what the other components give.
   *
   * @throws LightmillException with {@code CHECKPOINT_INVALID}
   */
  static void require(
      Checkpoint checkpoint, FluxConfig transformer, int t5Width, int clipWidth, int latents) {
    require(
        checkpoint, "joint_attention_dim", transformer.contextWidth(), "text_encoder_2", t5Width);
    require(
        checkpoint, "pooled_projection_dim", transformer.pooledWidth(), "text_encoder", clipWidth);
    int packed = latents * FluxGrid.PATCH * FluxGrid.PATCH;
    require(checkpoint, "in_channels", transformer.inChannels(), "vae", packed);
  }

  private static void require(
      Checkpoint checkpoint, String key, int taken, String component, int given) {
    if (taken != given) {
      throw new LightmillException(
          ErrorCode.CHECKPOINT_INVALID,
          "%s has %d for '%s' where the component '%s' gives %d; fetch the checkpoint whole"
              .formatted(checkpoint.config("transformer").file(), taken, key, component, given));
    }
  }
}
