package io.lightmill.udfs;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.storage.StorageLevel;

/**
 * Rows that are computed once and kept until closed. What an executor kept would be computed again
 * if it is lost, from a store that looks different by then; so a cluster keeps them in the store.
 */
record FrozenRows(Dataset<Row> rows, Runnable dropping) implements AutoCloseable {

  private static final String DIRECTORY = ".plan";

  /** Keeps rows on the disk of the one machine, or below the output. */
  static FrozenRows of(Dataset<Row> rows, Cluster cluster, String output) {
    if (cluster.local()) {
      Dataset<Row> kept = rows.persist(StorageLevel.DISK_ONLY());
      return new FrozenRows(kept, kept::unpersist);
    }
    SparkSession spark = rows.sparkSession();
    Path directory = new Path(output, DIRECTORY);
    spark.sparkContext().setCheckpointDir(directory.toString());
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    return new FrozenRows(rows.checkpoint(), () -> delete(directory, hadoop));
  }

  private static void delete(Path directory, Configuration hadoop) {
    try {
      directory.getFileSystem(hadoop).delete(directory, true);
    } catch (IOException e) {
      throw new IllegalStateException("%s cannot be deleted".formatted(directory), e);
    }
  }

  @Override
  public void close() {
    dropping.run();
  }
}
