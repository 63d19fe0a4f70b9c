package io.lightmill.udfs.report;

/** What became of a row without a picture; drawn over its empty frame as with a grease pencil. */
public enum FrameMark {
  /** Refused by the safety policy: a barred circle. */
  BLOCKED,
  /** A row that cannot be drawn as it is: an open triangle with its point upward. */
  INVALID,
  /** The engine or the store failed: a cross. */
  FAILED;

  /**
   * The mark of a manifest status; {@link #FAILED} for all but {@code blocked}, {@code invalid}.
   */
  public static FrameMark ofStatus(String status) {
    return switch (status) {
      case "blocked" -> BLOCKED;
      case "invalid" -> INVALID;
      default -> FAILED;
    };
  }
}
