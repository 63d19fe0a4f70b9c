package io.lightmill.udfs.draw;

import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.progress.ReportedRows;
import io.lightmill.udfs.shard.PackedRows;
import io.lightmill.udfs.shard.RowImages;
import io.lightmill.udfs.shard.ShardPacker;
import io.lightmill.udfs.store.ImageStore;
import java.util.Iterator;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/**
 * The function that runs on every partition of the plan: whole batches of {@link PlannedImages} in,
 * {@link Manifest} rows out. It draws as rows are asked for, and holds two batches at most.
 *
 * @param schema of the rows that come out
 */
public record GenerateImages(GenerationJob job, StructType schema)
    implements MapPartitionsFunction<Row, Row> {

  @Override
  public Iterator<Row> call(Iterator<Row> planned) {
    TaskContext task = TaskContext.get();
    PartitionWork work = new PartitionWork(job, task);
    task.addTaskCompletionListener(work);
    Iterator<Row> manifest = new OverlappedBatches(new Batches(planned), work::start);
    Iterator<Row> reported = new ReportedRows(manifest, schema, job.stop().run(), task.partitionId());
    return job.packing() == null ? reported : packed(reported, task);
  }

  private Iterator<Row> packed(Iterator<Row> rows, TaskContext task) {
    ImageStore store = ImageStore.open(job.output(), job.hadoop().value());
    PackedRows packed =
        new PackedRows(
            rows,
            job.packing().shardSize(),
            new RowImages(schema),
            new ShardPacker(store, job.packing().format()),
            "%s/part-%05d".formatted(ShardPacker.directory(job.runId()), task.partitionId()));
    task.addTaskCompletionListener(packed);
    return packed;
  }
}
