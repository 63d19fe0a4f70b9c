package io.lightmill.udfs.manifest;

import io.lightmill.udfs.store.ObjectBody;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/**
 * A directory of one run for rows that are not committed yet. Readers of the output ignore it, and
 * a later run deletes it if this run is killed.
 *
 * @param output locked by this run
 */
public record UncommittedRows(SparkSession spark, String output, String runId) {

  /** The directory of all runs below an output. */
  public static final String DIRECTORY = ".commit";

  /**
   * Writes rows as one Parquet file in the {@link ManifestFormat}.
   *
   * @param name of the file, which a run uses once
   * @param rows in one partition
   * @param committed for the footer; empty to leave it to the modification time of the file
   */
  public ObjectBody file(String name, Dataset<Row> rows, Optional<Instant> committed)
      throws IOException {
    FileSystem fileSystem = fileSystem();
    Path directory = new Path(directory(), name);
    rows.write()
        .format(ManifestFormat.class.getName())
        .mode(SaveMode.ErrorIfExists)
        .option("maxRecordsPerFile", 0)
        .options(StoreCommitter.options(spark.sparkContext(), fileSystem))
        .options(
            committed
                .map(time -> Map.of(ManifestFormat.COMMITTED, time.toString()))
                .orElse(Map.of()))
        .save(directory.toString());
    Path file =
        Arrays.stream(fileSystem.listStatus(directory))
            .map(FileStatus::getPath)
            .filter(path -> path.getName().endsWith(".parquet"))
            .findFirst()
            .orElseThrow(() -> new FileNotFoundException(directory + " has no Parquet file"));
    return out -> {
      try (FSDataInputStream in = fileSystem.open(file)) {
        in.transferTo(out);
      }
    };
  }

  /** Deletes the directory, also that of a killed run with the same id. */
  public void delete() throws IOException {
    FileSystem fileSystem = fileSystem();
    fileSystem.delete(directory(), true);
    Path all = directory().getParent();
    if (fileSystem.exists(all) && fileSystem.listStatus(all).length == 0) {
      fileSystem.delete(all, false);
    }
  }

  private Path directory() {
    return new Path(new Path(output, DIRECTORY), "run_id=" + runId);
  }

  private FileSystem fileSystem() throws IOException {
    return directory().getFileSystem(spark.sparkContext().hadoopConfiguration());
  }
}
