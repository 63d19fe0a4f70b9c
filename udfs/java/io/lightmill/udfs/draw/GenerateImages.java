package io.lightmill.udfs.draw;

import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.progress.ReportedRows;
import java.util.Iterator;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;

/**
 * The function that runs on every partition of the plan: whole batches of {@link PlannedImages} in,
 * {@link Manifest} rows out. It draws as rows are asked for, and holds two batches at most.
 */
public record GenerateImages(GenerationJob job) implements MapPartitionsFunction<Row, Row> {

  @Override
  public Iterator<Row> call(Iterator<Row> planned) {
    TaskContext task = TaskContext.get();
    PartitionWork work = new PartitionWork(job, task);
    task.addTaskCompletionListener(work);
    Iterator<Row> manifest = new OverlappedBatches(new Batches(planned), work::start);
    return new ReportedRows(manifest, job.runId(), task.partitionId());
  }
}
