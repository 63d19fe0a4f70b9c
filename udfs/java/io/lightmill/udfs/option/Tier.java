package io.lightmill.udfs.option;

/** How much quality a run may give up for speed. */
public enum Tier {
  /** None: images are those of diffusers. */
  QUALITY,
  /** As much as the efficient sampling of the checkpoint or its family costs. */
  EFFICIENT
}
