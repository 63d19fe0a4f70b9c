package io.lightmill.udfs.manifest;

import io.lightmill.udfs.rows.MappedPartitions;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.OpenObject;
import io.lightmill.udfs.store.SharedConfiguration;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A directory of one run for rows that are not committed yet. Readers of the output ignore it, and
 * a later run deletes it if this run is killed.
 *
 * @param output locked by this run
 */
public record UncommittedRows(SparkSession spark, String output, String runId) {

  /** The directory of all runs below an output. */
  public static final String DIRECTORY = ".commit";

  private static final Logger LOG = LoggerFactory.getLogger(UncommittedRows.class);

  /**
   * Writes rows as one Parquet file in the {@link ManifestFormat}: below {@link #DIRECTORY}, or in
   * local mode on the disk of this machine.
   *
   * @param name of the file, which a run uses once
   * @param rows in one partition
   * @param footer further entries of the footer, such as {@link ManifestWriteSupport#COMMITTED}
   */
  public UncommittedFile file(String name, Dataset<Row> rows, Map<String, String> footer) {
    String key = key() + "/" + name + Manifest.EXTENSION;
    WriteFile writing =
        new WriteFile(
            new SharedConfiguration(ManifestFormat.settings(spark, rows.schema(), footer)),
            output,
            local() ? null : key);
    RDD<String> files =
        MappedPartitions.of(
            ((org.apache.spark.sql.classic.Dataset<Row>) rows).queryExecution().toRdd(), writing);
    List<String> written = MappedPartitions.collected(files, spark);
    if (written.size() != 1) {
      throw new IllegalStateException("rows in %d partitions".formatted(written.size()));
    }
    if (local()) {
      Path file = Path.of(written.get(0));
      return new UncommittedFile(out -> Files.copy(file, out), () -> delete(file));
    }
    ImageStore store = ImageStore.open(output, spark.sparkContext().hadoopConfiguration());
    return new UncommittedFile(
        out -> {
          try (OpenObject in = store.open(key).orElseThrow(() -> new FileNotFoundException(key))) {
            in.stream().transferTo(out);
          }
        },
        () -> delete(store, key));
  }

  private void delete(ImageStore store, String file) {
    store.delete(file);
    store.deleteIfEmpty(key());
    store.deleteIfEmpty(DIRECTORY);
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) { // Spark deletes the directory when it ends
      LOG.debug("{} is not deleted", file, e);
    }
  }

  private boolean local() {
    return spark.sparkContext().isLocal();
  }

  private String key() {
    return DIRECTORY + "/run_id=" + runId;
  }
}
