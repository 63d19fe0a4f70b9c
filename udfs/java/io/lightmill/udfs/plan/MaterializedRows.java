package io.lightmill.udfs.plan;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.struct;

import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.manifest.StoreCommitter;
import java.io.IOException;
import java.util.Arrays;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.util.QuotingUtils;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;

/**
 * Rows that are computed once and kept until closed. Rows that a lost executor kept would be
 * computed again, from a store whose content has changed since; so a cluster keeps them in the
 * store.
 */
public record MaterializedRows(Dataset<Row> rows, Runnable deletion) implements AutoCloseable {

  /** The directory of all runs below an output, on a cluster. */
  public static final String DIRECTORY = ".plan";

  /** More than any file has, and small enough to be added up for millions of files. */
  private static final String FILE_BYTES = Long.toString(1L << 40);

  /**
   * Keeps rows on the local disk, or below the output of a run on a cluster.
   *
   * @param output locked by this run
   */
  public static MaterializedRows of(
      Dataset<Row> rows, Cluster cluster, String output, String runId) {
    if (cluster.local()) {
      return persisted(rows);
    }
    Path runs = new Path(output, DIRECTORY);
    Path run = new Path(runs, "run_id=" + runId);
    Path directory = new Path(run, UUID.randomUUID().toString());
    Configuration hadoop = rows.sparkSession().sparkContext().hadoopConfiguration();
    return new MaterializedRows(
        stored(rows, directory, hadoop), () -> delete(directory, run, runs, hadoop));
  }

  /**
   * Keeps rows on the local disks of executors, for jobs that end before an executor is likely to
   * be lost, or that may compute the rows of a lost one again.
   */
  public static MaterializedRows persisted(Dataset<Row> rows) {
    RDD<byte[]> chunks = RowChunks.of(rows).persist(StorageLevel.DISK_ONLY());
    return new MaterializedRows(
        RowChunks.rows(
            chunks, (org.apache.spark.sql.classic.SparkSession) rows.sparkSession(), rows.schema()),
        () -> chunks.unpersist(false));
  }

  /**
   * Keeps the partitions and the order of rows for tasks that take long. On a cluster, a lost
   * executor would take its part of the shuffle with it, and Spark would compute again partitions
   * that other tasks still work on.
   */
  public static MaterializedRows shuffled(
      Dataset<Row> rows, Cluster cluster, String output, String runId) {
    return cluster.local() ? passing(rows) : of(rows, cluster, output, runId);
  }

  /** Rows that are only read once and need not be kept. */
  public static MaterializedRows passing(Dataset<Row> rows) {
    return new MaterializedRows(rows, () -> {});
  }

  /** Each partition is written as one file, and each file is read as one partition. */
  private static Dataset<Row> stored(Dataset<Row> rows, Path directory, Configuration hadoop) {
    StructType files =
        new StructType(
            Arrays.stream(rows.schema().fields())
                .filter(MaterializedRows::isStorable)
                .toArray(StructField[]::new));
    try {
      FileSystem fileSystem = directory.getFileSystem(hadoop);
      rows.select(
              Arrays.stream(files.fieldNames())
                  .map(MaterializedRows::column)
                  .toArray(Column[]::new))
          .write()
          .option("maxRecordsPerFile", 0)
          .options(StoreCommitter.options(rows.sparkSession().sparkContext(), fileSystem))
          .parquet(directory.toString());
    } catch (IOException e) {
      throw new IllegalStateException("%s cannot be written".formatted(directory), e);
    }
    SparkSession reading =
        ((org.apache.spark.sql.classic.SparkSession) rows.sparkSession()).cloneSession();
    reading.conf().set("spark.sql.files.maxPartitionBytes", FILE_BYTES);
    reading.conf().set("spark.sql.files.openCostInBytes", FILE_BYTES);
    Dataset<Row> read = reading.read().schema(files).parquet(directory.toString());
    return read.select(
        Arrays.stream(rows.schema().fields())
            .map(field -> isStorable(field) ? column(field.name()) : struct().as(field.name()))
            .toArray(Column[]::new));
  }

  /** The column of this name, in which dots do not separate fields. */
  private static Column column(String name) {
    return col(QuotingUtils.quoteIdentifier(name));
  }

  /**
   * Parquet has no struct without fields, such as the passthrough columns of a table that has none.
   */
  private static boolean isStorable(StructField field) {
    return !(field.dataType() instanceof StructType struct) || !struct.isEmpty();
  }

  /** Deletes the rows, and with the last rows of this run those of killed runs. */
  private static void delete(Path directory, Path run, Path runs, Configuration hadoop) {
    try {
      FileSystem fileSystem = directory.getFileSystem(hadoop);
      fileSystem.delete(directory, true);
      if (!fileSystem.exists(run) || fileSystem.listStatus(run).length == 0) {
        fileSystem.delete(runs, true);
      }
    } catch (IOException e) {
      throw new IllegalStateException("%s cannot be deleted".formatted(directory), e);
    }
  }

  @Override
  public void close() {
    deletion.run();
  }
}
