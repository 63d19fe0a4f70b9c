package io.lightmill.udfs.run;

import static org.apache.spark.sql.functions.col;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.draw.Batching;
import io.lightmill.udfs.earlier.EarlierImages;
import io.lightmill.udfs.estimate.PlanReport;
import io.lightmill.udfs.estimate.UndrawnRows;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.Sink;
import io.lightmill.udfs.plan.BatchPlan;
import io.lightmill.udfs.plan.ImagePlan;
import io.lightmill.udfs.plan.MaterializedRows;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.shard.ShardFormat;
import io.lightmill.udfs.table.PromptInput;
import io.lightmill.udfs.table.PromptRows;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The plan of a run that does not begin: table, output and checkpoint are read, nothing is written
 * and no lock is taken.
 *
 * @param images without the rows that have the id of another row
 * @param duplicateIds number of these rows
 * @param problems the first rows that are not drawn
 */
record DryPlan(
    SparkSession spark,
    GenerationOptions options,
    RunHooks hooks,
    JobCheckpoint checkpoint,
    ImagePlan images,
    UndrawnRows undrawn,
    long duplicateIds,
    List<UndrawnRows.Problem> problems,
    Resources open)
    implements AutoCloseable {

  private static final int MOST_DUPLICATES = 5;

  static DryPlan of(
      SparkSession spark,
      Optional<Dataset<Row>> prompts,
      GenerationOptions options,
      RunListener listener,
      RunHooks hooks) {
    Resources open = new Resources();
    try {
      PromptRows table =
          PromptRows.open(spark, PreparedRun.input(prompts, options), Manifest.reserved());
      table.notices().forEach(listener::notice);
      JobCheckpoint checkpoint = hooks.checkpoint().get();
      listener.opened(
          checkpoint.model().pipelineClass(), checkpoint.model().digest(), checkpoint.limits());
      EarlierImages earlier =
          new EarlierImages(
              spark,
              options.get(Options.OUTPUT_DIRECTORY),
              PlannedRun.rerun(options, checkpoint, options.get(Options.RUN_ID)));
      Dataset<Row> requested =
          open.add(
                  MaterializedRows.persisted(
                      RequestedImages.of(
                          table,
                          options,
                          checkpoint,
                          PolicyFile.of(options, spark.sparkContext().hadoopConfiguration()),
                          shards(options))))
              .rows();
      Dataset<Row> duplicates = requested.filter(col(PlannedImages.DUPLICATE));
      long duplicateIds = duplicates.count();
      Dataset<Row> marked =
          open.add(
                  MaterializedRows.persisted(
                      earlier.marked(
                          duplicateIds == 0
                              ? requested
                              : requested.filter(col(PlannedImages.DUPLICATE).equalTo(false)))))
              .rows();
      ImagePlan images =
          ImagePlan.of(
              options.find(Options.INPUT).orElse(PromptInput.DATA_FRAME),
              marked,
              PlannedRun.mayCollide(options));
      UndrawnRows undrawn = images.undrawn() == 0 ? UndrawnRows.NONE : UndrawnRows.of(marked);
      return new DryPlan(
          spark,
          options,
          hooks,
          checkpoint,
          images,
          undrawn,
          duplicateIds,
          Stream.concat(undrawn.problems().stream(), named(duplicates, duplicateIds).stream())
              .toList(),
          open);
    } catch (RuntimeException e) {
      open.close();
      throw e;
    }
  }

  private static Optional<ShardFormat> shards(GenerationOptions options) {
    Sink sink = options.get(Options.SINK);
    return sink == Sink.FILES ? Optional.empty() : Optional.of(ShardFormat.valueOf(sink.name()));
  }

  private static List<UndrawnRows.Problem> named(Dataset<Row> duplicates, long rows) {
    List<UndrawnRows.Problem> named = new ArrayList<>();
    if (rows > 0) {
      for (Row row :
          duplicates
              .groupBy(ManifestColumns.ID.col())
              .count()
              .orderBy(col("count").desc(), ManifestColumns.ID.col())
              .takeAsList(MOST_DUPLICATES)) {
        named.add(
            new UndrawnRows.Problem(
                PlanReport.DUPLICATE,
                row.getString(0),
                ErrorCode.ID_DUPLICATE.name(),
                "row id=%s: has the id of another row; give every row an id of its own"
                    .formatted(row.getString(0))));
      }
    }
    return named;
  }

  BatchPlan batches() {
    Batching batching = Batching.of(options, hooks.cluster());
    long toDraw = images.toDraw();
    return images.batches(
        hooks.cluster().together(batching.batchSize(), batching.chunk(), toDraw),
        hooks.cluster(),
        options.find(ModelOptions.PARTITIONS).map(OptionalInt::of).orElseGet(OptionalInt::empty));
  }

  @Override
  public void close() {
    open.close();
  }
}
