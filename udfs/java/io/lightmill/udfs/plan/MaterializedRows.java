package io.lightmill.udfs.plan;

import io.lightmill.udfs.device.Cluster;
import java.io.IOException;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import scala.Option;

/**
 * Rows that are computed once and kept until closed. What an executor kept would be computed again
 * if it is lost, from a store that looks different by then; so a cluster keeps them in the store.
 */
public record MaterializedRows(Dataset<Row> rows, Runnable dropping) implements AutoCloseable {

  private static final String DIRECTORY = ".plan";

  /** Keeps rows on the disk of the one machine, or below the output. */
  public static MaterializedRows of(Dataset<Row> rows, Cluster cluster, String output) {
    if (cluster.local()) {
      Dataset<Row> kept = rows.persist(StorageLevel.DISK_ONLY());
      return new MaterializedRows(kept, kept::unpersist);
    }
    SparkContext spark = rows.sparkSession().sparkContext();
    Path directory = new Path(output, DIRECTORY);
    synchronized (MaterializedRows.class) { // the checkpoint directory belongs to the application
      Option<String> before = spark.getCheckpointDir();
      spark.setCheckpointDir(directory.toString());
      try {
        return new MaterializedRows(rows.checkpoint(), () -> delete(directory, spark));
      } finally {
        spark.checkpointDir_$eq(before); // setCheckpointDir would begin a new directory below it
      }
    }
  }

  /**
   * Shuffled rows for tasks that take long. On a cluster, an executor that is lost takes its part
   * of the shuffle along, and Spark would begin anew with partitions that others still work on.
   */
  public static MaterializedRows shuffled(Dataset<Row> rows, Cluster cluster, String output) {
    return cluster.local() ? passing(rows) : of(rows, cluster, output);
  }

  /** Rows that are only read once, and need no keeping. */
  public static MaterializedRows passing(Dataset<Row> rows) {
    return new MaterializedRows(rows, () -> {});
  }

  private static void delete(Path directory, SparkContext spark) {
    try {
      directory.getFileSystem(spark.hadoopConfiguration()).delete(directory, true);
    } catch (IOException e) {
      throw new IllegalStateException("%s cannot be deleted".formatted(directory), e);
    }
  }

  @Override
  public void close() {
    dropping.run();
  }
}
