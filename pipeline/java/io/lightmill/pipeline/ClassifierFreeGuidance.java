package io.lightmill.pipeline;

/**
 * The request argument that sets the weight of classifier-free guidance. Guidance leads away from
 * the negative prompt and costs a second evaluation of the transformer per step.
 */
public enum ClassifierFreeGuidance {

  /** {@code true_cfg_scale}; guidance needs a negative prompt. */
  TRUE_CFG_SCALE {
    @Override
    public double argument(ImageRequest request) {
      return request.trueCfgScale();
    }

    @Override
    public double scale(ImageRequest request) {
      return request.negativePrompt().isPresent() ? request.trueCfgScale() : 1;
    }
  },

  /** {@code guidance_scale}; a missing negative prompt is the empty prompt. */
  GUIDANCE_SCALE {
    @Override
    public double argument(ImageRequest request) {
      return request.guidanceScale();
    }

    @Override
    public double scale(ImageRequest request) {
      return request.guidanceScale();
    }
  },

  /** {@code guidance_scale} as Z-Image defines it: the excess over a weight of 1. */
  POSITIVE_GUIDANCE_SCALE {
    @Override
    public double argument(ImageRequest request) {
      return request.guidanceScale();
    }

    @Override
    public double scale(ImageRequest request) {
      return 1 + request.guidanceScale();
    }
  },

  /** No guidance: it is distilled into the checkpoint. */
  NONE {
    @Override
    public double argument(ImageRequest request) {
      return 1;
    }

    @Override
    public double scale(ImageRequest request) {
      return 1;
    }
  };

  /** The argument's value in a request. */
  public abstract double argument(ImageRequest request);

  /** The weight of the guidance; 1 and less turn it off. */
  public abstract double scale(ImageRequest request);

  /** Whether this image needs the negative prompt. */
  public boolean guides(ImageRequest request) {
    return scale(request) > 1;
  }
}
