package io.lightmill.udfs;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.device.LoadedPipelines;
import io.lightmill.udfs.device.MissingExecutors;
import io.lightmill.udfs.device.ModelPreload;
import io.lightmill.udfs.device.StageGpus;
import io.lightmill.udfs.draw.GenerateImages;
import io.lightmill.udfs.draw.GenerationJob;
import io.lightmill.udfs.earlier.AttemptImages;
import io.lightmill.udfs.earlier.EarlierImages;
import io.lightmill.udfs.earlier.OrphanFiles;
import io.lightmill.udfs.lock.OutputLock;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.plan.BatchPlan;
import io.lightmill.udfs.plan.ImageIdentity;
import io.lightmill.udfs.plan.ImageKeys;
import io.lightmill.udfs.plan.ImagePlan;
import io.lightmill.udfs.plan.MaterializedRows;
import io.lightmill.udfs.plan.PlanImages;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.progress.DrawingStop;
import io.lightmill.udfs.progress.ImageProgress;
import io.lightmill.udfs.progress.ProgressPlugin;
import io.lightmill.udfs.store.PathTemplate;
import io.lightmill.udfs.table.PromptColumns;
import io.lightmill.udfs.table.PromptInput;
import io.lightmill.udfs.table.PromptRows;
import io.lightmill.udfs.table.RequestRows;
import io.lightmill.udfs.table.RequestRules;
import io.lightmill.udfs.table.RowDefaults;
import io.lightmill.udfs.table.TaskFailures;
import java.time.Clock;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/** The main flow: a prompt table in, images and a committed manifest out. */
public final class ImageGeneration {

  private static final double NANOS_PER_SECOND = 1e9;

  private ImageGeneration() {}

  /**
   * What a run left behind.
   *
   * @param manifest one row per image asked for, read back from the committed manifest
   * @param statuses rows by status
   * @param modelDigest of the checkpoint
   * @param planSeconds from the call to the first generating task; to the end of planning where the
   *     session lacks {@link ProgressPlugin}
   * @param loadSeconds that the first device then took to have its model
   * @param generateSeconds of the generating stage from then on, manifest commit included
   * @param engineSeconds that the devices together spent drawing
   */
  public record Result(
      Dataset<Row> manifest,
      Map<String, Long> statuses,
      String modelDigest,
      double planSeconds,
      double loadSeconds,
      double generateSeconds,
      double engineSeconds) {}

  /** Told how far the run is; called from threads of its own. */
  public interface Progress {

    /**
     * The checkpoint is here; its weights are not loaded yet.
     *
     * @param pipelineClass diffusers' class
     * @param digest over the content of its files
     * @param limits with what it does for rows and jobs that name no value
     */
    default void opened(String pipelineClass, String digest, PipelineLimits limits) {}

    /**
     * Some images have a negative prompt that changes nothing.
     *
     * @param guidance that is at most 1 for them
     */
    default void idleNegativePrompts(long images, ClassifierFreeGuidance guidance) {}

    /** The plan stands: {@code images} rows will be accounted for, of which some need drawing. */
    void planned(long images, long toGenerate);

    /**
     * More rows failed or are invalid than the run may have: no further batch is begun.
     *
     * @param rows so far
     */
    default void tooManyFailures(long rows) {}

    /** Rows finished so far, whatever became of them. */
    void finished(long images);
  }

  /**
   * Runs the job. Bad configuration and bad tables are refused before any weight is loaded; a bad
   * row becomes a manifest row.
   *
   * @throws io.lightmill.pipeline.LightmillException for what the user can fix
   */
  public static Result run(SparkSession spark, GenerationSettings settings, Progress progress) {
    long called = System.nanoTime();
    Cluster cluster = Cluster.of(spark.sparkContext(), settings.device());
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    try (MissingExecutors missing = MissingExecutors.of(spark.sparkContext())) {
      missing.watch();
      return run(
          spark,
          settings,
          progress,
          cluster,
          () -> JobCheckpoint.open(settings, cluster, hadoop),
          Clock.systemUTC(),
          called);
    }
  }

  /**
   * Ends a run of this driver early: no batch is begun any more, what is done is committed, and the
   * rest is {@link ImageStatus#PENDING}.
   */
  public static void end(String runId) {
    DrawingStop.end(runId);
  }

  static Result run(
      SparkSession spark,
      GenerationSettings settings,
      Progress progress,
      Cluster cluster,
      Supplier<JobCheckpoint> opening,
      Clock clock,
      long called) {
    PromptRows table = PromptRows.open(spark, input(settings.table()), Manifest.reserved());
    Instant since = Manifest.reserve(spark, settings.output(), settings.runId());
    try (OutputLock claim = OutputLock.of(spark, settings, clock)) {
      JobCheckpoint checkpoint = opening.get(); // may take a while: all its bytes are hashed
      AttemptImages own = new AttemptImages(settings.rerun().force(), since);
      DrawingStop stop = new DrawingStop(settings.runId(), settings.deadline().orElse(null), clock);
      return run(
          spark,
          settings,
          progress,
          table,
          checkpoint,
          job(spark, settings, cluster, checkpoint, own, stop),
          claim,
          called);
    } finally {
      DrawingStop.forget(settings.runId());
    }
  }

  private static Result run(
      SparkSession spark,
      GenerationSettings settings,
      Progress progress,
      PromptRows table,
      JobCheckpoint checkpoint,
      GenerationJob job,
      OutputLock claim,
      long called) {
    Cluster cluster = job.cluster();
    String directory = Manifest.directory(settings.output(), settings.runId());
    progress.opened(
        checkpoint.model().pipelineClass(), checkpoint.model().digest(), checkpoint.limits());
    OrphanFiles leftovers = OrphanFiles.of(spark, settings.output(), settings.runId());
    leftovers.removeShardsOfThisRun();
    EarlierImages earlier = new EarlierImages(spark, settings.output(), settings.rerun());
    Dataset<Row> rows = planned(settings, table, checkpoint);
    try (ImageProgress heard =
            ImageProgress.follow(spark, settings.runId(), progress, settings.mostFailures());
        MaterializedRows planned =
            earlier.lookedFor()
                ? MaterializedRows.of(rows, cluster, settings.output(), settings.runId())
                : MaterializedRows.passing(rows);
        MaterializedRows images =
            MaterializedRows.of(
                ImagePlan.placed(earlier.marked(planned.rows())),
                cluster,
                settings.output(),
                settings.runId())) {
      StructType passthrough = PlannedImages.passthrough(images.rows().schema());
      ImagePlan plan =
          ImagePlan.of(
              settings.table().location(), images.rows(), settings.pathTemplate().isPresent());
      progress.planned(plan.requested(), plan.toDraw());
      if (plan.idleNegativePrompts() > 0) {
        progress.idleNegativePrompts(plan.idleNegativePrompts(), checkpoint.limits().guidance());
      }
      BatchPlan batches =
          plan.batches(settings.batchSize(), cluster, partitions(settings, plan, cluster));
      StructType inFlight = Manifest.schemaInFlight(passthrough);
      GenerateImages generating = new GenerateImages(job, inFlight);
      ModelPreload loading = ModelPreload.of(cluster, checkpoint.loader(), plan.toDraw());
      long submitted = System.nanoTime();
      Manifest.Totals totals;
      try (MaterializedRows partitioned =
          MaterializedRows.shuffled(
              plan.partitioned(batches), cluster, settings.output(), settings.runId())) {
        totals =
            Manifest.write(
                StageGpus.given(
                    cluster, partitioned.rows().mapPartitions(generating, Encoders.row(inFlight))),
                directory,
                claim::require);
      } finally {
        loading.await();
      }
      leftovers.sweep(claim::require);
      long committed = System.nanoTime();
      progress.finished(plan.requested());
      long firstTask = heard.firstTaskNanos().orElse(submitted);
      long firstDrawing = heard.firstDrawingNanos().orElse(firstTask);
      return new Result(
          Manifest.read(spark, directory, passthrough),
          totals.statuses(),
          checkpoint.model().digest(),
          (firstTask - called) / NANOS_PER_SECOND,
          (firstDrawing - firstTask) / NANOS_PER_SECOND,
          (committed - firstDrawing) / NANOS_PER_SECOND,
          totals.engineSeconds());
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      claim.explain();
      throw TaskFailures.fixable(settings.table().location(), e);
    } finally {
      LoadedPipelines.release(checkpoint.loader());
    }
  }

  /** Staged images of a run that was killed are to be packed by many tasks, drawn or not. */
  private static OptionalInt partitions(
      GenerationSettings settings, ImagePlan plan, Cluster cluster) {
    return settings.packing().isPresent() && settings.partitions().isEmpty()
        ? OptionalInt.of(cluster.partitions((plan.requested() - 1) / settings.batchSize() + 1))
        : settings.partitions();
  }

  private static GenerationJob job(
      SparkSession spark,
      GenerationSettings settings,
      Cluster cluster,
      JobCheckpoint checkpoint,
      AttemptImages own,
      DrawingStop stop) {
    return new GenerationJob(
        new ImageIdentity(checkpoint.model(), settings.format()),
        checkpoint.limits().guidance(),
        settings.output(),
        settings.runId(),
        settings.packing().orElse(null),
        own,
        stop,
        cluster,
        checkpoint.loader(),
        new SerializableConfiguration(spark.sparkContext().hadoopConfiguration()));
  }

  /** Table rows, checked, as the images that they ask for. */
  private static Dataset<Row> planned(
      GenerationSettings settings, PromptRows table, JobCheckpoint checkpoint) {
    PromptColumns columns = table.columns();
    Dataset<Row> requests = RequestRows.of(table.rows(), columns);
    StructType passthrough = RequestRows.passthrough(requests.schema());
    PlanImages planning =
        new PlanImages(
            RequestRules.of(
                checkpoint.limits(),
                checkpoint.model().adapters().keySet(),
                defaults(settings.defaults())),
            columns.template().orElse(null),
            columns.sources().containsKey(RequestColumns.ID),
            new ImageIdentity(checkpoint.model(), settings.format()),
            new ImageKeys(
                settings.pathTemplate().orElse(PathTemplate.STANDARD),
                columns,
                settings.format(),
                settings.packing().map(GenerationSettings.Packing::format)),
            checkpoint.loader());
    return requests.flatMap(planning, Encoders.row(PlannedImages.schema(passthrough)));
  }

  private static PromptInput input(GenerationSettings.Table table) {
    return new PromptInput(
        Optional.empty(),
        table.location(),
        table.format(),
        table.columns(),
        table.promptTemplate(),
        table.limit());
  }

  private static RowDefaults defaults(GenerationSettings.Defaults job) {
    Map<RequestColumn<?>, Object> values = new HashMap<>();
    job.width().ifPresent(value -> values.put(RequestColumns.WIDTH, value));
    job.height().ifPresent(value -> values.put(RequestColumns.HEIGHT, value));
    job.numInferenceSteps()
        .ifPresent(value -> values.put(RequestColumns.NUM_INFERENCE_STEPS, value));
    job.guidanceScale().ifPresent(value -> values.put(RequestColumns.GUIDANCE_SCALE, value));
    job.trueCfgScale().ifPresent(value -> values.put(RequestColumns.TRUE_CFG_SCALE, value));
    job.negativePrompt().ifPresent(value -> values.put(RequestColumns.NEGATIVE_PROMPT, value));
    job.numImagesPerPrompt()
        .ifPresent(value -> values.put(RequestColumns.NUM_IMAGES_PER_PROMPT, value));
    job.maxSequenceLength()
        .ifPresent(value -> values.put(RequestColumns.MAX_SEQUENCE_LENGTH, value));
    job.lora().ifPresent(value -> values.put(RequestColumns.LORA, value));
    Map<String, String> texts = new HashMap<>();
    values.forEach((column, value) -> texts.put(column.name(), value.toString()));
    return new RowDefaults(texts, job.seed(), job.truncatePrompts());
  }
}
