package io.lightmill.udfs.draw;

import io.lightmill.pipeline.Device;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.ManifestRow;
import io.lightmill.udfs.manifest.Outcome;
import io.lightmill.udfs.plan.PlannedImages;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** Makes the manifest rows of one task, in {@link Manifest#schemaInFlight}. */
final class ManifestRows {

  private final ManifestRow.Task task;

  ManifestRows(GenerationJob job, Device device, TaskContext task) {
    this(
        new ManifestRow.Task(
            job.identity().model(),
            job.identity().format(),
            job.runId(),
            task.attemptNumber(),
            device));
  }

  ManifestRows(ManifestRow.Task task) {
    this.task = task;
  }

  Row row(Row planned, Outcome outcome) {
    ManifestRow row = ManifestRow.of(planned, outcome, task);
    Row passthrough = planned.getAs(PlannedImages.PASSTHROUGH);
    Object[] values = new Object[passthrough.length() + ManifestColumns.ALL.size()];
    int next = 0;
    for (int i = 0; i < passthrough.length(); i++) {
      values[next++] = passthrough.get(i);
    }
    for (ManifestColumn column : ManifestColumns.ALL) {
      values[next++] = column.filling().apply(row);
    }
    return RowFactory.create(values);
  }
}
