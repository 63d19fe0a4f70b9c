package io.lightmill.pipeline.flux;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ComponentFit;

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
    ComponentFit fit = new ComponentFit(checkpoint);
    fit.require("joint_attention_dim", transformer.contextWidth(), "text_encoder_2", t5Width);
    fit.require("pooled_projection_dim", transformer.pooledWidth(), "text_encoder", clipWidth);
    int packed = latents * FluxGrid.PATCH * FluxGrid.PATCH;
    fit.require("in_channels", transformer.inChannels(), "vae", packed);
  }
}
