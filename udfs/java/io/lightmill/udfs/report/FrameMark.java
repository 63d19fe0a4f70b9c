package io.lightmill.udfs.report;

import io.lightmill.udfs.ImageStatus;

/** Why a row has no image; drawn on its empty frame. */
public enum FrameMark {
  /** A policy blocks the prompt or the image: a circle with a bar. */
  BLOCKED,
  /** Values of the row are invalid: an open triangle with its point upward. */
  INVALID,
  /** Drawing or storing failed: a cross. */
  FAILED;

  /** The mark of a status; {@link #FAILED} for all but blocked and invalid rows. */
  public static FrameMark of(ImageStatus status) {
    return switch (status) {
      case BLOCKED -> BLOCKED;
      case INVALID -> INVALID;
      default -> FAILED;
    };
  }
}
