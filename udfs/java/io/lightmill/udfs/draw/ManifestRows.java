package io.lightmill.udfs.draw;

import io.lightmill.pipeline.Device;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.ManifestRow;
import io.lightmill.udfs.manifest.Outcome;
import io.lightmill.udfs.plan.PlannedImages;
import java.util.Optional;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** Makes the manifest rows of one task. */
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

  /** A row of {@link Manifest#schemaInFlight}. */
  Row row(Row planned, Outcome outcome) {
    return RowFactory.create(values(planned, outcome, 0));
  }

  /** A row of {@link GenerateImages#schema}. */
  Row row(Row planned, Outcome outcome, Optional<byte[]> thumbnail) {
    Object[] values = values(planned, outcome, 1);
    values[values.length - 1] = thumbnail.orElse(null);
    return RowFactory.create(values);
  }

  private Object[] values(Row planned, Outcome outcome, int more) {
    ManifestRow row = ManifestRow.of(planned, outcome, task);
    Row passthrough = planned.getAs(PlannedImages.PASSTHROUGH);
    Object[] values = new Object[passthrough.length() + ManifestColumns.ALL.size() + more];
    int next = 0;
    for (int i = 0; i < passthrough.length(); i++) {
      values[next++] = passthrough.get(i);
    }
    for (ManifestColumn column : ManifestColumns.ALL) {
      values[next++] = column.filling().apply(row);
    }
    return values;
  }
}
