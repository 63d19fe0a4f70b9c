package io.lightmill.udfs.run;

import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.earlier.EarlierImages;
import io.lightmill.udfs.earlier.OrphanFiles;
import io.lightmill.udfs.earlier.Rerun;
import io.lightmill.udfs.earlier.UnchangedRows;
import io.lightmill.udfs.manifest.RunAttempt;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.HostedOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.plan.BatchPlan;
import io.lightmill.udfs.plan.ImagePlan;
import io.lightmill.udfs.plan.MaterializedRows;
import io.lightmill.udfs.shard.Packing;
import io.lightmill.udfs.table.PromptRows;
import io.lightmill.udfs.table.RequestRows;
import io.lightmill.udfs.table.RowDigests;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/**
 * Step 2: the images of all rows, with identity, seed and path; which of them exist; batches and
 * partitions of the others.
 *
 * @param passthrough columns of the table that the manifest repeats
 * @param orphans files of lost attempts, to be removed after the commit
 */
record PlannedRun(
    ImagePlan images, BatchPlan batches, StructType passthrough, OrphanFiles orphans) {

  static PlannedRun of(PreparedRun run, Resources open) {
    GenerationOptions options = run.options();
    OrphanFiles orphans = OrphanFiles.of(run.spark(), run.output(), run.runId(), run.reserved());
    orphans.removeShardsOfThisRun();
    ImagePlan images = ImagePlan.of(run.tableName(), marked(run, open), mayCollide(options));
    run.ending().begin(RunEnding.Step.DRAWING);
    BatchPlan batches =
        images.batches(
            run.together(images.toDraw()), run.cluster(), partitions(run, images.requested()));
    if (images.toDraw() > 0) {
      run.listener().plan(() -> PlanEstimates.of(run, images, batches));
    }
    run.progress().planned(images.toDraw());
    run.listener().planned(images.requested(), images.toDraw());
    if (images.idleNegativePrompts() > 0) {
      run.listener()
          .idleNegativePrompts(images.idleNegativePrompts(), run.checkpoint().limits().guidance());
    }
    return new PlannedRun(images, batches, run.table().passthrough(), orphans);
  }

  /**
   * The images of the table, with what is known of them. Rows that are as in the newest run are not
   * planned again.
   */
  private static Dataset<Row> marked(PreparedRun run, Resources open) {
    Rerun rerun = rerun(run.options(), run.checkpoint(), run.runId());
    EarlierImages earlier = new EarlierImages(run.spark(), run.output(), rerun);
    PromptRows table = digested(run);
    Optional<UnchangedRows> unchanged =
        run.hooks().all() ? UnchangedRows.of(run.spark(), run.output(), rerun) : Optional.empty();
    if (unchanged.isEmpty()) {
      Dataset<Row> requested = run.hooks().chosen().apply(requested(table, run));
      Dataset<Row> rows = earlier.lookedFor() ? kept(requested, run, open) : requested;
      return kept(earlier.marked(rows), run, open);
    }
    Dataset<Row> separated =
        kept(
            unchanged
                .get()
                .separated(
                    table,
                    run.checkpoint().limits().guidance(),
                    RequestRows.passthrough(
                        RequestRows.of(table.rows(), table.columns()).schema())),
            run,
            open);
    Dataset<Row> others =
        kept(requested(UnchangedRows.others(separated, table.columns()), run), run, open);
    return UnchangedRows.images(separated).union(kept(earlier.markedFew(others), run, open));
  }

  private static PromptRows digested(PreparedRun run) {
    PromptRows table = run.table();
    String fingerprint =
        PlanFingerprint.of(
            table,
            run.options(),
            run.checkpoint(),
            run.policy(),
            run.packing().map(Packing::format));
    return new PromptRows(
        RowDigests.beside(table.rows(), fingerprint), table.columns(), table.notices());
  }

  private static Dataset<Row> requested(PromptRows table, PreparedRun run) {
    return RequestedImages.of(
        table, run.options(), run.checkpoint(), run.policy(), run.packing().map(Packing::format));
  }

  private static Dataset<Row> kept(Dataset<Row> rows, PreparedRun run, Resources open) {
    return open.add(MaterializedRows.of(rows, run.cluster(), run.output(), run.runId())).rows();
  }

  /** Ids of images are hashes, so names that contain them differ. */
  static boolean mayCollide(GenerationOptions options) {
    return options
        .find(Options.PATH_TEMPLATE)
        .filter(template -> !template.contains("{image_id}"))
        .isPresent();
  }

  /** Packing needs all partitions even if few images are drawn: it packs staged images too. */
  private static OptionalInt partitions(PreparedRun run, long images) {
    return run.packing().isPresent() && run.partitions().isEmpty()
        ? OptionalInt.of(run.cluster().partitions((images - 1) / run.together(images) + 1))
        : run.partitions();
  }

  /** What a run takes from earlier ones. */
  static Rerun rerun(GenerationOptions options, JobCheckpoint checkpoint, String runId) {
    return new Rerun(
        options.get(Options.FORCE),
        options.get(Options.RETRY_FAILED),
        Set.of(checkpoint.model().checks()),
        RunAttempt.of(runId),
        checkpoint
            .loader()
            .hosted()
            .map(
                loader ->
                    new Rerun.Hosted(
                        options.find(HostedOptions.RETRY_UNCERTAIN).orElse(false),
                        options.find(HostedOptions.RETRY_BLOCKED).orElse(false))));
  }
}
