package io.lightmill.udfs.manifest;

import java.io.IOException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.DataFrameWriter;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/**
 * Writes rows as the files of a directory: all of them or none. On S3 {@link StoreCommitter}
 * completes the files together. Elsewhere the files are written to a hidden directory, which then
 * is renamed. In both cases the file {@value #SUCCESS} comes last.
 */
public record ManifestCommit(SparkSession spark, Path directory) {

  public static final String SUCCESS = "_SUCCESS";

  /**
   * Computes, writes and commits the rows, once.
   *
   * @param requireLock throws if the commit is no longer allowed; called as late as the store
   *     permits
   */
  void write(DataFrameWriter<Row> rows, Runnable requireLock) throws IOException {
    FileSystem fileSystem = directory.getFileSystem(spark.sparkContext().hadoopConfiguration());
    DataFrameWriter<Row> writer =
        rows.mode(SaveMode.ErrorIfExists)
            .option("mapreduce.fileoutputcommitter.marksuccessfuljobs", true)
            .options(StoreCommitter.options(spark.sparkContext(), fileSystem));
    if (StoreCommitter.isS3(fileSystem)) {
      fileSystem.delete(directory, true); // of a killed run with this id
      try (CheckedCommitter.Check check = CheckedCommitter.before(requireLock)) {
        writer.options(check.options()).parquet(directory.toString());
      }
      return;
    }
    Path hidden = new Path(directory.getParent(), "." + directory.getName());
    fileSystem.delete(hidden, true); // of a killed run with this id
    writer.parquet(hidden.toString());
    requireLock.run();
    if (!fileSystem.rename(hidden, directory)) {
      throw new IOException("Could not rename %s to %s".formatted(hidden, directory));
    }
  }
}
