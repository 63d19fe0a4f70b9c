package io.lightmill.udfs.run;

import static org.apache.spark.sql.functions.avg;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.octet_length;

import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.HostedLoader;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.estimate.CostEstimate;
import io.lightmill.udfs.estimate.DeviceCost;
import io.lightmill.udfs.estimate.EarlierSpeed;
import io.lightmill.udfs.estimate.HostedCost;
import io.lightmill.udfs.estimate.ImageSpeed;
import io.lightmill.udfs.estimate.MeasuredSpeed;
import io.lightmill.udfs.estimate.Measurement;
import io.lightmill.udfs.estimate.PlanReport;
import io.lightmill.udfs.estimate.UndrawnRows;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.PlanOptions;
import io.lightmill.udfs.option.Redaction;
import io.lightmill.udfs.plan.BatchPlan;
import io.lightmill.udfs.plan.ImagePlan;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.table.PromptInput;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** What the images of a plan take and cost. */
final class PlanEstimates {

  private PlanEstimates() {}

  /** The table of a run that is about to draw. */
  static List<String> of(PreparedRun run, ImagePlan images, BatchPlan batches) {
    UndrawnRows undrawn =
        images.undrawn() == 0 ? UndrawnRows.NONE : UndrawnRows.of(images.images());
    Optional<MeasuredSpeed> measured =
        given(run.options()).isPresent() || HostedRun.isHosted(run.options())
            ? Optional.empty()
            : earlier(run.spark(), run.options(), run.checkpoint(), run.cluster());
    return PlanReport.of(
            setting(run.options(), run.checkpoint(), run.cluster(), batches),
            PlanReport.Images.of(images.requested(), images.toDraw(), undrawn, 0),
            undrawn.problems(),
            images.work(),
            cost(run.options(), run.checkpoint(), images, measured),
            bytesPerPixel(measured))
        .lines();
  }

  /** The speed that the options give. */
  static Optional<ImageSpeed> given(GenerationOptions options) {
    return options
        .find(PlanOptions.IMAGES_PER_SECOND)
        .map(ImageSpeed::ofImages)
        .or(
            () ->
                options
                    .find(PlanOptions.SECONDS_PER_MEGAPIXEL_STEP)
                    .map(ImageSpeed::ofMegapixelSteps));
  }

  /** The speed of earlier runs over the output. */
  static Optional<MeasuredSpeed> earlier(
      SparkSession spark, GenerationOptions options, JobCheckpoint checkpoint, Cluster cluster) {
    if (checkpoint.model().hosted()) {
      return Optional.empty(); // no device of the run draws
    }
    List<Measurement> measured =
        EarlierSpeed.of(
            spark,
            options.get(Options.OUTPUT_DIRECTORY),
            checkpoint.model(),
            checkpoint.limits().guidance(),
            cluster.cuda());
    return measured.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new MeasuredSpeed(
                measured, "measured by %s of earlier runs".formatted(counted(measured.size()))));
  }

  static String counted(int images) {
    return images == 1 ? "1 image" : images + " images";
  }

  static CostEstimate cost(
      GenerationOptions options,
      JobCheckpoint checkpoint,
      ImagePlan images,
      Optional<MeasuredSpeed> measured) {
    Optional<HostedLoader> hosted = checkpoint.loader().hosted();
    if (hosted.isPresent()) {
      return new HostedCost(
          hosted.get().endpoint(), hosted.get().settings().prices(), promptBytes(images));
    }
    return new DeviceCost(
        given(options).or(() -> measured), options.find(PlanOptions.DEVICE_HOUR_PRICE));
  }

  /** Of the prompts that are sent, on average. */
  private static long promptBytes(ImagePlan images) {
    Row mean =
        images
            .images()
            .filter(col(PlannedImages.BATCH_KEY).isNotNull())
            .agg(avg(octet_length(ManifestColumns.PROMPT.col())))
            .head();
    return mean.isNullAt(0) ? 0 : Math.round(mean.getDouble(0));
  }

  static OptionalDouble bytesPerPixel(Optional<MeasuredSpeed> measured) {
    return measured
        .map(speed -> OptionalDouble.of(speed.bytesPerPixel()))
        .orElseGet(OptionalDouble::empty);
  }

  static PlanReport.Setting setting(
      GenerationOptions options, JobCheckpoint checkpoint, Cluster cluster, BatchPlan batches) {
    return new PlanReport.Setting(
        Redaction.location(options.find(Options.INPUT).orElse(PromptInput.DATA_FRAME)),
        Redaction.location(options.get(Options.OUTPUT_DIRECTORY)),
        Redaction.location(options.get(ModelOptions.CHECKPOINT)),
        checkpoint.model().digest(),
        cluster.cuda(),
        cluster.slots(),
        batches.partitions());
  }
}
