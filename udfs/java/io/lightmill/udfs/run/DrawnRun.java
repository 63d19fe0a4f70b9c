package io.lightmill.udfs.run;

import io.lightmill.pipeline.Verdict;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.device.ModelPreload;
import io.lightmill.udfs.device.StageGpus;
import io.lightmill.udfs.draw.DrawingCounters;
import io.lightmill.udfs.draw.GenerateImages;
import io.lightmill.udfs.draw.GenerationJob;
import io.lightmill.udfs.earlier.AttemptImages;
import io.lightmill.udfs.history.CommittedRun;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.option.CheckOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.plan.MaterializedRows;
import io.lightmill.udfs.plan.RowFunction;
import io.lightmill.udfs.report.PageThumbnails;
import io.lightmill.udfs.store.SharedConfiguration;
import java.io.IOException;
import java.time.Instant;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/**
 * Step 3: one Spark job draws and stores the images and commits the manifest. It computes every row
 * once.
 *
 * @param rows of the manifest, as long as the run is open
 * @param work of all tasks on their devices
 * @param submitted when the job was submitted, by {@link System#nanoTime}
 * @param committed when the manifest was committed, by {@link System#nanoTime}
 * @param ended when the manifest was committed, as a date and time
 */
record DrawnRun(
    Dataset<Row> rows,
    Manifest.Committed manifest,
    DrawingCounters.Sums work,
    long submitted,
    long committed,
    Instant ended) {

  /**
   * @param repeated whether an earlier attempt failed, whose images are in the store
   */
  static DrawnRun of(PreparedRun run, PlannedRun plan, Resources open, boolean repeated)
      throws IOException, InterruptedException {
    DrawingCounters counters = DrawingCounters.in(run.spark().sparkContext());
    StructType inFlight = GenerateImages.schema(plan.passthrough());
    GenerateImages generating = new GenerateImages(job(run, plan, repeated, counters), inFlight);
    ModelPreload loading =
        ModelPreload.of(run.cluster(), run.checkpoint().loader(), plan.images().toDraw());
    long submitted = System.nanoTime();
    run.ending().begin(RunEnding.Step.DRAWING);
    Dataset<Row> rows;
    Manifest.Committed manifest;
    try {
      // Closed with the run, since a failure to delete these rows must not fail a committed run.
      MaterializedRows partitioned =
          open.add(
              MaterializedRows.shuffled(
                  run.packing().isPresent()
                      ? plan.images().partitioned(plan.batches())
                      : plan.images().drawnApart(plan.batches()),
                  run.cluster(),
                  run.output(),
                  run.runId()));
      run.progress().drawingStarts();
      MaterializedRows drawn =
          open.add(
              MaterializedRows.of(
                  StageGpus.given(
                      run.cluster(), new RowFunction(generating, inFlight).of(partitioned.rows())),
                  run.cluster(),
                  run.output(),
                  run.runId()));
      rows = drawn.rows();
      manifest =
          Manifest.commit(
              rows,
              plan.passthrough(),
              plan.newest().map(CommittedRun::schema).orElseGet(StructType::new),
              PlanFingerprint.of(run),
              run.output(),
              run.runId(),
              () -> {
                run.ending().begin(RunEnding.Step.COMMITTING);
                run.lock().require();
              });
    } finally {
      loading.await();
    }
    run.listener().finished(Math.min(plan.images().toDraw(), drawn(manifest.totals())));
    return new DrawnRun(
        rows, manifest, counters.sums(), submitted, System.nanoTime(), Instant.now());
  }

  /**
   * Rows of drawn images; also those that an earlier run has settled and that are not drawn again.
   */
  private static long drawn(Manifest.Totals totals) {
    return totals.statuses().getOrDefault(ImageStatus.GENERATED, 0L)
        + totals.statuses().getOrDefault(ImageStatus.FAILED, 0L)
        + totals.statuses().getOrDefault(ImageStatus.UNCERTAIN, 0L)
        + totals.verdicts().blockedAt(Verdict.Stage.IMAGE)
        + totals.verdicts().blockedAt(Verdict.Stage.PROVIDER);
  }

  private static GenerationJob job(
      PreparedRun run, PlannedRun plan, boolean repeated, DrawingCounters counters) {
    return new GenerationJob(
        ImageFiles.identity(run.checkpoint().model(), run.options()),
        run.checkpoint().limits().guidance(),
        run.marking(),
        run.output(),
        run.runId(),
        run.packing().orElse(null),
        run.options().find(CheckOptions.QUARANTINE).orElse(null),
        run.batching(),
        run.sending().orElse(null),
        new AttemptImages(run.options().get(Options.FORCE), run.reserved()),
        repeated,
        run.stop(),
        run.cluster(),
        run.options().get(ModelOptions.THREADS_PER_IMAGE),
        run.checkpoint().loader(),
        counters,
        PageThumbnails.of(plan.images().requested()),
        new SharedConfiguration(run.spark().sparkContext().hadoopConfiguration()));
  }
}
