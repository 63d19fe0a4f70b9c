package io.lightmill.udfs.manifest;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.device.Model;
import org.apache.spark.sql.Row;

/**
 * What the columns of one manifest row are filled from.
 *
 * @param planned the row of the plan
 * @param task that writes the row
 */
public record ManifestRow(Row planned, Outcome outcome, Task task) {

  /**
   * What the rows of one task have in common.
   *
   * @param attempt number of Spark's attempt at the task, from 0
   */
  public record Task(Model model, ImageFormat format, String runId, int attempt, Device device) {}
}
