package io.lightmill.pipeline;

/**
 * Which argument of a pipeline is the weight of its classifier-free guidance: of going away from
 * the negative prompt, which costs a second evaluation of the transformer a step.
 */
public enum ClassifierFreeGuidance {

  /** {@code true_cfg_scale}, where a negative prompt is given. */
  TRUE_CFG_SCALE {
    @Override
    public double scale(ImageRequest request) {
      return request.negativePrompt().isPresent() ? request.trueCfgScale() : 1;
    }
  },

  /** {@code guidance_scale}; the negative prompt is the empty one where none is given. */
  GUIDANCE_SCALE {
    @Override
    public double scale(ImageRequest request) {
      return request.guidanceScale();
    }
  };

  /** The weight of the guidance; 1 and less turn it off. */
  public abstract double scale(ImageRequest request);

  /** Whether drawing this image takes the negative prompt. */
  public boolean guides(ImageRequest request) {
    return scale(request) > 1;
  }
}
