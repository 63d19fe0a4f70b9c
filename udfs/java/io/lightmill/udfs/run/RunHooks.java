package io.lightmill.udfs.run;

import io.lightmill.pipeline.DType;
import io.lightmill.udfs.DeviceChoice;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.device.Loading;
import io.lightmill.udfs.earlier.UnchangedRows;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import java.time.Clock;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Parts of a run that tests replace.
 *
 * @param started when the caller started; deadline and run record count from then
 * @param clock of locks and deadline
 * @param cluster to draw on
 * @param checkpoint opens the checkpoint, once
 * @param chosen the images of the run, of those that the table requests
 * @param manyRows of the newest manifest, from which on unchanged rows are not planned again
 */
record RunHooks(
    Instant started,
    Clock clock,
    Cluster cluster,
    Supplier<JobCheckpoint> checkpoint,
    UnaryOperator<Dataset<Row>> chosen,
    long manyRows) {

  /** A run over all images that the table requests. */
  RunHooks(Instant started, Clock clock, Cluster cluster, Supplier<JobCheckpoint> checkpoint) {
    this(started, clock, cluster, checkpoint, UnaryOperator.identity(), UnchangedRows.MANY_ROWS);
  }

  /** The same with an open checkpoint and other images, which are planned in any case. */
  RunHooks with(JobCheckpoint open, UnaryOperator<Dataset<Row>> images) {
    return new RunHooks(started, clock, cluster, () -> open, images, Long.MAX_VALUE);
  }

  static RunHooks of(SparkSession spark, GenerationOptions options, Instant started) {
    boolean hosted = HostedRun.isHosted(options);
    Cluster cluster =
        Cluster.of(
            spark.sparkContext(), hosted ? DeviceChoice.CPU : options.get(ModelOptions.DEVICE));
    Loading loading = loading(options);
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    Optional<DType> dtype = options.find(ModelOptions.DTYPE);
    return new RunHooks(
        started,
        Clock.systemUTC(),
        cluster,
        () ->
            RequestedChecks.applied(
                hosted
                    ? HostedRun.open(options, hadoop)
                    : JobCheckpoint.open(
                        options.get(ModelOptions.CHECKPOINT), loading, dtype, cluster, hadoop),
                options,
                hadoop));
  }

  /** How the options load a checkpoint. */
  static Loading loading(GenerationOptions options) {
    return new Loading(
        options.find(ModelOptions.VARIANT).orElse(""),
        options.entries(ModelOptions.LORA),
        options.get(ModelOptions.OFFLOAD));
  }
}
