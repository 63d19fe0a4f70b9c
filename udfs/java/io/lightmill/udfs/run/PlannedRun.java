package io.lightmill.udfs.run;

import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.earlier.OrphanFiles;
import io.lightmill.udfs.earlier.Rerun;
import io.lightmill.udfs.history.CommittedRun;
import io.lightmill.udfs.manifest.RunAttempt;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.HostedOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.plan.BatchPlan;
import io.lightmill.udfs.plan.ImagePlan;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.apache.spark.sql.types.StructType;

/**
 * Step 2: the images of all rows, with identity, seed and path; which of them exist; batches and
 * partitions of the others.
 *
 * @param passthrough columns of the table that the manifest repeats
 * @param orphans files of lost attempts, to be removed after the commit
 * @param newest the run with the newest manifest
 */
record PlannedRun(
    ImagePlan images,
    BatchPlan batches,
    StructType passthrough,
    OrphanFiles orphans,
    Optional<CommittedRun> newest) {

  static PlannedRun of(PreparedRun run, Resources open) {
    GenerationOptions options = run.options();
    OrphanFiles orphans = OrphanFiles.of(run.spark(), run.output(), run.runId(), run.reserved());
    orphans.removeShardsOfThisRun();
    Optional<CommittedRun> newest =
        CommittedRun.newest(run.output(), run.spark().sparkContext().hadoopConfiguration());
    MarkedImages marked = MarkedImages.of(run, newest, open);
    ImagePlan images =
        ImagePlan.of(run.tableName(), marked.rows(), marked.settled(), mayCollide(options));
    run.ending().begin(RunEnding.Step.DRAWING);
    BatchPlan batches =
        images.batches(
            run.together(images.toDraw()), run.cluster(), partitions(run, images.unsettled()));
    if (images.toDraw() > 0) {
      run.listener().plan(() -> PlanEstimates.of(run, images, batches));
    }
    run.progress().planned(images.toDraw());
    run.listener().planned(images.requested(), images.toDraw());
    if (images.idleNegativePrompts() > 0) {
      run.listener()
          .idleNegativePrompts(images.idleNegativePrompts(), run.checkpoint().limits().guidance());
    }
    return new PlannedRun(images, batches, run.table().passthrough(), orphans, newest);
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
