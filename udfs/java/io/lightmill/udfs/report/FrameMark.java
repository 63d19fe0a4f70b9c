package io.lightmill.udfs.report;

import io.lightmill.udfs.ImageStatus;

/** Why a row has no image; drawn on its empty frame. */
public enum FrameMark {
  /** Values of the row are invalid: an open triangle with its point upward. */
  INVALID,
  /** Drawing or storing failed: a cross. */
  FAILED;

  /** The mark of a status; {@link #FAILED} for all but invalid rows. */
  public static FrameMark of(ImageStatus status) {
    return status == ImageStatus.INVALID ? INVALID : FAILED;
  }
}
