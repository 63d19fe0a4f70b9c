package io.lightmill.udfs.run;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.timestamp_micros;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.device.StageGpus;
import io.lightmill.udfs.draw.Batching;
import io.lightmill.udfs.draw.DrawUnstored;
import io.lightmill.udfs.draw.UnstoredDrawing;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.option.CheckOptions;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.LakehouseOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.table.PromptRows;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;

/**
 * The images of a small table, without an output: the rows of a manifest, in which no image has a
 * path, and a column {@code image} with the bytes.
 */
public final class UnstoredImages {

  /** Larger tables are refused: without an output, a failed query draws every image again. */
  public static final int MOST_IMAGES = 1000;

  /** Options that concern an output. */
  private static final List<Option<?>> OF_OUTPUTS =
      List.of(
          Options.PATH_TEMPLATE,
          Options.SINK,
          Options.SHARD_SIZE,
          CheckOptions.QUARANTINE,
          LakehouseOptions.MANIFEST_TABLE,
          LakehouseOptions.BATCH_OUTPUT,
          Options.RUN_ID,
          Options.FORCE,
          Options.RETRY_FAILED,
          Options.DEADLINE,
          Options.WAIT_FOR_LOCK,
          Options.MAX_FAILURES);

  private final Cluster cluster;
  private final Dataset<Row> drawn;

  private UnstoredImages(Cluster cluster, Dataset<Row> drawn) {
    this.cluster = cluster;
    this.drawn = drawn;
  }

  /**
   * Checks options and prompts and opens the checkpoint, without its weights. Runs no Spark job.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} for options that concern an
   *     output, and where prompts or checkpoint cannot be used
   */
  public static UnstoredImages of(
      SparkSession spark, Dataset<Row> prompts, GenerationOptions options) {
    HostedRun.refuseWithoutOutput(options);
    refuseOptionsOfOutputs(options);
    return of(spark, prompts, options, RunHooks.of(spark, options, Instant.now()));
  }

  static UnstoredImages of(
      SparkSession spark, Dataset<Row> prompts, GenerationOptions options, RunHooks hooks) {
    PromptRows table = PromptSchema.open(spark, Optional.of(prompts), options);
    table.notices().forEach(RunListener.NONE::notice);
    JobCheckpoint checkpoint = hooks.checkpoint().get();
    Dataset<Row> planned =
        RequestedImages.of(
            table,
            options,
            checkpoint,
            PolicyFile.of(options, spark.sparkContext().hadoopConfiguration()),
            Optional.empty());
    StructType schema = DrawUnstored.schema(PlannedImages.passthrough(planned.schema()));
    DrawUnstored drawing = new DrawUnstored(drawing(spark, options, checkpoint, hooks));
    Dataset<Row> few =
        planned
            .repartition(1)
            .mapPartitions(new SmallTable(MOST_IMAGES), Encoders.row(planned.schema()))
            .repartition(hooks.cluster().slots())
            .sortWithinPartitions(PlannedImages.BATCH_KEY, ManifestColumns.IMAGE_ID.name());
    return new UnstoredImages(hooks.cluster(), few.mapPartitions(drawing, Encoders.row(schema)));
  }

  /** How the options of a run draw images that are not stored. */
  static UnstoredDrawing drawing(
      SparkSession spark, GenerationOptions options, JobCheckpoint checkpoint, RunHooks hooks) {
    return UnstoredDrawing.of(
        ImageFiles.identity(checkpoint.model(), options),
        checkpoint.limits().guidance(),
        ImageFiles.marking(spark, checkpoint.model(), options, hooks.started()),
        hooks.cluster(),
        checkpoint.loader(),
        options.get(ModelOptions.THREADS_PER_IMAGE),
        Batching.of(options, hooks.cluster()));
  }

  public StructType schema() {
    return withTimes(drawn).schema();
  }

  /**
   * The rows. Images are drawn when they are computed; where only the generating stage requests
   * GPUs, the call itself runs the Spark jobs that plan the images. A row that cannot be drawn has
   * an error, as in a manifest. More than {@link #MOST_IMAGES} images, or two rows with the same
   * id, fail the query.
   */
  public Dataset<Row> rows() {
    return withTimes(StageGpus.given(cluster, drawn));
  }

  /** Converts the time of each row to the type that a manifest has. */
  private static Dataset<Row> withTimes(Dataset<Row> rows) {
    String created = ManifestColumns.CREATED_AT.name();
    return rows.withColumn(created, timestamp_micros(col(created)));
  }

  private static void refuseOptionsOfOutputs(GenerationOptions options) {
    for (Option<?> option : OF_OUTPUTS) {
      if (options.has(option)) {
        throw new LightmillException(
            ErrorCode.CONFIGURATION_INVALID,
            "option '%s' needs an output; give an output, or remove the option".formatted(option));
      }
    }
  }
}
