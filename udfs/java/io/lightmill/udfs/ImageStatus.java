package io.lightmill.udfs;

import java.util.Locale;

/** The result for a requested image. */
public enum ImageStatus {
  /** Drawn and stored by this run. */
  GENERATED,
  /** The same image exists already: from an earlier run, or for another row of this one. */
  REUSED,
  /**
   * The policy blocks the prompt, or the image checks block the image. A result, not a failure: it
   * stays until the policy changes.
   */
  BLOCKED,
  /** A value of the table row is invalid. */
  INVALID,
  /** Drawing or storing failed. */
  FAILED,
  /**
   * The request to a hosted model was sent and its answer was lost: the image may have been paid.
   * It is not requested again unless that is wanted.
   */
  UNCERTAIN,
  /** The run stopped before the image was drawn; a rerun draws it. */
  PENDING;

  /** The status with this label. */
  public static ImageStatus labelled(String label) {
    return valueOf(label.toUpperCase(Locale.ROOT));
  }

  /** Whether something has to be fixed before there is an image. */
  public boolean isFailure() {
    return this == FAILED || this == INVALID || this == UNCERTAIN;
  }

  /** The name in manifests. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
