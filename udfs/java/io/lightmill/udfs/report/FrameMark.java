package io.lightmill.udfs.report;

import io.lightmill.udfs.ImageStatus;

/** The mark over the empty frame of a row without an image, drawn like a grease pencil's. */
public enum FrameMark {
  /** A row that cannot be drawn as it is: an open triangle with its point upward. */
  INVALID,
  /** The engine or the store failed: a cross. */
  FAILED;

  /** The mark of a manifest status; {@link #FAILED} for all but {@code invalid}. */
  public static FrameMark ofStatus(String status) {
    return status.equals(ImageStatus.INVALID.label()) ? INVALID : FAILED;
  }
}
