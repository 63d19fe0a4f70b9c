package io.lightmill.udfs.run;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.timestamp_micros;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.device.StageGpus;
import io.lightmill.udfs.draw.DrawUnstored;
import io.lightmill.udfs.draw.UnstoredDrawing;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.plan.ImageIdentity;
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

/** The images of a small table as rows of a DataFrame, without an output. */
public final class UnstoredImages {

  /** Larger tables are refused: without an output, a failed query draws every image again. */
  public static final int MOST_IMAGES = 1000;

  /** Options that say something about an output. */
  private static final List<Option<?>> OF_OUTPUTS =
      List.of(
          Options.PATH_TEMPLATE,
          Options.SINK,
          Options.SHARD_SIZE,
          Options.RUN_ID,
          Options.FORCE,
          Options.RETRY_FAILED,
          Options.DEADLINE,
          Options.MAX_FAILURES);

  private UnstoredImages() {}

  /**
   * The rows of a manifest, in which no image has a path, and a column {@code image} with the
   * bytes. Images are drawn when the rows are computed. Rows that cannot be drawn say why, as in a
   * manifest; more than {@link #MOST_IMAGES} images, and an id that two rows have, fail the query.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} for options about an output, and
   *     where prompts or checkpoint cannot be used
   */
  public static Dataset<Row> of(
      SparkSession spark, Dataset<Row> prompts, GenerationOptions options) {
    refuseOptionsOfOutputs(options);
    PromptRows table = PromptSchema.open(spark, Optional.of(prompts), options);
    RunHooks hooks = RunHooks.of(spark, options, Instant.now());
    JobCheckpoint checkpoint = hooks.checkpoint().get();
    Dataset<Row> planned = RequestedImages.of(table, options, checkpoint, Optional.empty());
    StructType schema = DrawUnstored.schema(PlannedImages.passthrough(planned.schema()));
    DrawUnstored drawing =
        new DrawUnstored(
            UnstoredDrawing.of(
                new ImageIdentity(checkpoint.model(), options.get(Options.FORMAT)),
                checkpoint.limits().guidance(),
                hooks.cluster(),
                checkpoint.loader(),
                options.get(Options.THREADS_PER_IMAGE)),
            options.get(Options.BATCH_SIZE));
    Dataset<Row> few =
        planned
            .repartition(1)
            .mapPartitions(new SmallTable(MOST_IMAGES), Encoders.row(planned.schema()))
            .repartition(hooks.cluster().slots())
            .sortWithinPartitions(PlannedImages.BATCH_KEY);
    String created = ManifestColumns.CREATED_AT.name();
    return StageGpus.given(hooks.cluster(), few.mapPartitions(drawing, Encoders.row(schema)))
        .withColumn(created, timestamp_micros(col(created)));
  }

  private static void refuseOptionsOfOutputs(GenerationOptions options) {
    for (Option<?> option : OF_OUTPUTS) {
      if (options.has(option)) {
        throw new LightmillException(
            ErrorCode.CONFIGURATION_INVALID,
            "option '%s' is about an output, and there is none; give an output, or remove the option"
                .formatted(option));
      }
    }
  }
}
