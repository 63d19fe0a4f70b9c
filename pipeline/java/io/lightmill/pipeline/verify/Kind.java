package io.lightmill.pipeline.verify;

/** The kinds of compared quantities, in the order in which a pipeline computes them. */
public enum Kind {
  TOKEN_IDS,
  TEXT_ENCODER,
  SCHEDULE,
  TRANSFORMER,
  LATENTS,
  IMAGE
}
