package io.lightmill.udfs.report;

import java.util.Locale;

/** How a run ended. */
public enum RunEnd {
  /** Every image is there, apart from as many failures as the run may have. */
  SUCCEEDED,
  /** The run is committed, with more failed and invalid rows than it may have. */
  ROWS_FAILED,
  /** The run was stopped. Its finished images are kept, and a rerun draws the rest. */
  STOPPED,
  /** The run ended with an error and without a manifest. */
  FAILED;

  /** The name in JSON. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
