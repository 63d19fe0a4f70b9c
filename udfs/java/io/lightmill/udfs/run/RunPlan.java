package io.lightmill.udfs.run;

import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.estimate.MeasuredSpeed;
import io.lightmill.udfs.estimate.PlanReport;
import io.lightmill.udfs.hosted.RunAllowance;
import io.lightmill.udfs.option.GenerationOptions;
import java.time.Instant;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** What a run would do, before it begins. Nothing is written to its output. */
public final class RunPlan {

  /** How the speed of devices is found, if the options give none. */
  public enum Speed {
    /** By the manifests of earlier runs; unknown without them. */
    EARLIER,
    /**
     * By the manifests of earlier runs, and by drawing a few images of sizes that these do not
     * have.
     */
    MEASURED
  }

  private RunPlan() {}

  /**
   * Plans a run.
   *
   * @param prompts the prompt table; empty to read the one that the options name
   * @throws io.lightmill.pipeline.LightmillException for errors that the caller can fix, as the run
   *     itself; rows that share an id are reported
   */
  public static PlanReport of(
      SparkSession spark,
      Optional<Dataset<Row>> prompts,
      GenerationOptions options,
      Speed speed,
      RunListener listener) {
    GenerationRun.check(options);
    PlanningSession session = PlanningSession.of(spark, prompts);
    return of(
        session.spark(),
        session.prompts(),
        options,
        speed,
        listener,
        RunHooks.of(session.spark(), options, Instant.now()));
  }

  static PlanReport of(
      SparkSession spark,
      Optional<Dataset<Row>> prompts,
      GenerationOptions options,
      Speed speed,
      RunListener listener,
      RunHooks hooks) {
    GenerationOptions named = options.named(hooks.started());
    try (DryPlan plan = DryPlan.of(spark, prompts, named, listener, hooks)) {
      HostedRun.allowance(plan.checkpoint()).ifPresent(RunAllowance::close); // nothing is sent
      Optional<MeasuredSpeed> measured = measured(plan, speed);
      return PlanReport.of(
          PlanEstimates.setting(named, plan.checkpoint(), hooks.cluster(), plan.batches()),
          PlanReport.Images.of(
              plan.images().requested(),
              plan.images().toDraw(),
              plan.undrawn(),
              plan.duplicateIds()),
          plan.problems(),
          plan.images().work(),
          PlanEstimates.cost(named, plan.checkpoint(), plan.images(), measured),
          PlanEstimates.bytesPerPixel(measured));
    }
  }

  private static Optional<MeasuredSpeed> measured(DryPlan plan, Speed speed) {
    if (plan.checkpoint().model().hosted()
        || plan.images().toDraw() == 0
        || PlanEstimates.given(plan.options()).isPresent()) {
      return Optional.empty();
    }
    Optional<MeasuredSpeed> earlier =
        PlanEstimates.earlier(
            plan.spark(), plan.options(), plan.checkpoint(), plan.hooks().cluster());
    return speed == Speed.EARLIER ? earlier : Optional.of(Calibration.of(plan, earlier));
  }

  /** The images of a run that would be drawn first, to look at before it begins. */
  public static RunResult preview(
      SparkSession spark,
      Optional<Dataset<Row>> prompts,
      GenerationOptions options,
      Preview preview,
      RunListener listener,
      Instant started) {
    GenerationRun.check(options);
    PlanningSession session = PlanningSession.of(spark, prompts);
    return preview
        .drawn(
            session.spark(),
            session.prompts(),
            options,
            listener,
            RunHooks.of(session.spark(), options, started))
        .in(spark);
  }
}
