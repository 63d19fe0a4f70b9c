package io.lightmill.pipeline.verify;

/** What a comparison looks at, in the order of a drawing. */
public enum Kind {
  TOKEN_IDS,
  TEXT_ENCODER,
  SCHEDULE,
  TRANSFORMER,
  LATENTS,
  IMAGE
}
