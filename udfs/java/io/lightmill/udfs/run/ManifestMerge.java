package io.lightmill.udfs.run;

import io.lightmill.udfs.history.OutputRows;
import io.lightmill.udfs.lakehouse.ManifestTable;
import io.lightmill.udfs.lakehouse.TableName;
import io.lightmill.udfs.lock.LockWait;
import io.lightmill.udfs.lock.OutputLock;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.LakehouseOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.Redaction;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.StoreTime;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Merges the current state of an output into its manifest table. */
public final class ManifestMerge {

  private static final Logger LOG = LoggerFactory.getLogger(ManifestMerge.class);

  private ManifestMerge() {}

  /**
   * Merges as a run does after its commit, for a run whose merge failed or that had no manifest
   * table. Locks the output meanwhile.
   *
   * @param options with an output and a manifest table
   * @throws io.lightmill.pipeline.LightmillException if the output has no committed run, another
   *     run uses it, or the table cannot be merged into
   */
  public static void execute(SparkSession spark, GenerationOptions options) {
    ManifestTable table = table(spark, options, options.get(LakehouseOptions.MANIFEST_TABLE));
    table.require();
    String output = options.get(Options.OUTPUT_DIRECTORY);
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    StoreTime now = ImageStore.open(output, hadoop).probeWritable(Clock.systemUTC());
    Duration wait = options.find(Options.WAIT_FOR_LOCK).orElse(Duration.ZERO);
    Thread caller = Thread.currentThread();
    try (OutputLock lock =
        new LockWait(wait, Clock.systemUTC())
            .take(
                () ->
                    OutputLock.of(
                        output, "merge", hadoop, now.clock(Clock.systemUTC()), caller::interrupt),
                holder -> {})) {
      merge(spark, output, table);
      lock.require();
    }
  }

  /** The table that the options name, which is not opened yet. */
  static Optional<ManifestTable> table(SparkSession spark, GenerationOptions options) {
    return options.find(LakehouseOptions.MANIFEST_TABLE).map(name -> table(spark, options, name));
  }

  private static ManifestTable table(SparkSession spark, GenerationOptions options, String name) {
    return new ManifestTable(
        spark,
        TableName.parse(spark, name),
        qualified(options.get(Options.OUTPUT_DIRECTORY), spark),
        options.find(LakehouseOptions.MANIFEST_TABLE_FORMAT));
  }

  private static String qualified(String output, SparkSession spark) {
    Path path = new Path(output);
    try {
      return path.getFileSystem(spark.sparkContext().hadoopConfiguration())
          .makeQualified(path)
          .toString();
    } catch (IOException e) {
      throw new UncheckedIOException("the file system of %s cannot be opened".formatted(output), e);
    }
  }

  static void merge(SparkSession spark, String output, ManifestTable table) {
    OutputRows rows =
        OutputRows.of(output, Optional.empty(), true, spark.sparkContext().hadoopConfiguration());
    table.merge(rows.select(spark, Set.of(rows.schema().fieldNames())));
  }

  /** The command that repeats the merge of a run. */
  static String command(GenerationOptions options) {
    return "lightmill merge --output '%s' --manifest-table '%s'"
        .formatted(
            Redaction.location(options.get(Options.OUTPUT_DIRECTORY)),
            options.get(LakehouseOptions.MANIFEST_TABLE));
  }

  /** Lets a session see the table as it is now, where another session has merged. */
  static void refresh(SparkSession spark, GenerationOptions options) {
    options
        .find(LakehouseOptions.MANIFEST_TABLE)
        .ifPresent(
            table -> {
              try {
                spark.catalog().refreshTable(table);
              } catch (Exception e) { // of a merge that failed, which the run reports
                LOG.debug("Manifest table {} cannot be refreshed", table, e);
              }
            });
  }
}
