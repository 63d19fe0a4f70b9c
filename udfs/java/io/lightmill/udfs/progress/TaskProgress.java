package io.lightmill.udfs.progress;

import java.io.Serializable;

/**
 * A task's message to the driver.
 *
 * @param run see {@link DrawingStop#key}
 * @param drawn images of this partition so far, in one attempt at it
 * @param rows of this partition so far; none where only the images are known
 */
record TaskProgress(String run, int partition, long drawn, RowCounts rows) implements Serializable {

  TaskProgress(String run, int partition, long drawn) {
    this(run, partition, drawn, RowCounts.NONE);
  }
}
