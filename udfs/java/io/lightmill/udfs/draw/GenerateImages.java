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
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The function that runs on every partition of the plan: {@link PlannedImages} in, {@link Manifest}
 * rows out. It draws rows as they are needed, and holds the images of a few chunks of batches at
 * most, see {@link OverlappedBatches}.
 *
 * @param schema of the rows that come out, by {@link #schema(StructType)}
 */
public record GenerateImages(GenerationJob job, StructType schema)
    implements MapPartitionsFunction<Row, Row> {

  /** A manifest in flight, and the small copies of images. */
  public static StructType schema(StructType passthrough) {
    return Manifest.schemaInFlight(passthrough).add(Manifest.THUMBNAIL, DataTypes.BinaryType);
  }

  @Override
  public Iterator<Row> call(Iterator<Row> planned) {
    TaskContext task = TaskContext.get();
    ImageStore store = ImageStore.open(job.output(), job.hadoop().value());
    if (!job.cluster().local()) {
      store.await();
    }
    PartitionWork work = new PartitionWork(job, task);
    task.addTaskCompletionListener(work);
    Iterator<Row> reported =
        new ReportedRows(work.rows(planned), schema, job.stop().run(), task.partitionId());
    Iterator<Row> rows = job.packing() == null ? reported : packed(reported, store, task);
    // In local mode Spark keeps the rows on its own disk.
    return job.cluster().local() ? rows : new AwaitedStore(rows, store);
  }

  /**
   * Waits before the first row and after the last one until the store responds, since Spark creates
   * the file of the task's rows next, or completes it, and does not wait.
   */
  private static final class AwaitedStore implements Iterator<Row> {

    private final Iterator<Row> rows;
    private final ImageStore store;
    private boolean begun;
    private boolean ended;

    AwaitedStore(Iterator<Row> rows, ImageStore store) {
      this.rows = rows;
      this.store = store;
    }

    @Override
    public boolean hasNext() {
      boolean more = rows.hasNext();
      if (!begun || (!more && !ended)) {
        store.await();
      }
      begun = true;
      ended = !more;
      return more;
    }

    @Override
    public Row next() {
      return rows.next();
    }
  }

  private Iterator<Row> packed(Iterator<Row> rows, ImageStore store, TaskContext task) {
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
