package io.lightmill.udfs;

import java.util.Locale;

/** What became of an image asked for. */
public enum ImageStatus {
  /** Drawn and stored by this run. */
  GENERATED,
  /** The same image is there already: from an earlier run, or for another row of this one. */
  REUSED,
  /** The table row cannot be drawn as it stands. */
  INVALID,
  /** Drawing or storing failed. */
  FAILED,
  /** The run was stopped before its turn came; a rerun draws it. */
  PENDING;

  /** The status that manifests spell so. */
  public static ImageStatus labelled(String label) {
    return valueOf(label.toUpperCase(Locale.ROOT));
  }

  /** Whether somebody has to fix something before there is an image. */
  public boolean isFailure() {
    return this == FAILED || this == INVALID;
  }

  /** As manifests spell it. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
