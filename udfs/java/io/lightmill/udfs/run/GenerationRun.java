package io.lightmill.udfs.run;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.policy.PromptPolicy;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.checkpoint.CheckpointFetch;
import io.lightmill.udfs.column.ColumnTemplate;
import io.lightmill.udfs.device.MissingExecutors;
import io.lightmill.udfs.manifest.WriterPreload;
import io.lightmill.udfs.option.CheckOptions;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.progress.DrawingStop;
import io.lightmill.udfs.run.RunEnding.Step;
import io.lightmill.udfs.store.PathTemplate;
import io.lightmill.udfs.table.PromptColumns;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * One run, which turns a prompt table into images and a committed manifest.
 *
 * <ol>
 *   <li>prepare: check options, table and output, take the lock, open the checkpoint
 *   <li>plan: turn rows into images with identity, seed and path, find earlier images, form batches
 *   <li>draw: draw and store the images and commit the manifest, in one Spark job
 *   <li>finish: remove orphan files, write run record and contact sheet
 * </ol>
 *
 * <p>A run changes no state of its session. Runs may follow each other or overlap in one session;
 * only runs on the same output exclude each other.
 */
public final class GenerationRun {

  private GenerationRun() {}

  /**
   * Checks what needs neither Spark nor a file system: templates, and a model that is named by its
   * id on the Hugging Face Hub.
   *
   * @throws io.lightmill.pipeline.LightmillException for errors that the caller can fix
   */
  public static void check(GenerationOptions options) {
    HostedRun.check(options);
    if (!HostedRun.isHosted(options)) {
      CheckpointCache.require(options.get(ModelOptions.CHECKPOINT));
    }
    options
        .find(Options.PROMPT_TEMPLATE)
        .ifPresent(template -> ColumnTemplate.parse(PromptColumns.TEMPLATE, template));
    options.find(Options.PATH_TEMPLATE).ifPresent(PathTemplate::requireWellFormed);
    ImageFiles.check(options);
  }

  /**
   * Reads the policy that ships, if the run applies it, and the description of a checkpoint on this
   * machine, so that a run of this process opens them faster: their classes and native libraries
   * are loaded. A caller may do so while Spark starts.
   *
   * @throws io.lightmill.pipeline.LightmillException if the checkpoint cannot be used, which the
   *     run reports as well
   */
  public static void readAhead(GenerationOptions options) {
    if (options.get(CheckOptions.POLICY).equals(PromptPolicy.DEFAULT)) {
      PromptPolicy.standard();
    }
    String location = options.get(ModelOptions.CHECKPOINT);
    if (!location.contains("://")) {
      Path local = new CheckpointFetch(new Configuration(false)).localize(location);
      Families.limits(Checkpoint.open(local, RunHooks.loading(options).wanted()));
    }
  }

  /**
   * Reads the credential of C2PA manifests, if the run signs with one on this machine, so that a
   * run of this process reads it faster: the JDK's classes for certificates and signatures are
   * loaded, which takes a fifth of a second. A caller may do so while Spark starts.
   *
   * @throws io.lightmill.pipeline.LightmillException if the credential cannot be used, which the
   *     run reports as well
   */
  public static void readCredential(GenerationOptions options) {
    ImageFiles.readCredential(options);
  }

  /**
   * Executes the run and returns when it has ended. Invalid options and tables are refused before
   * any weights are loaded; an invalid row becomes a manifest row. A failure after the commit is
   * logged and listed in the result, and does not fail the run.
   *
   * @param prompts the prompt table; empty to read the one that the options name
   * @throws io.lightmill.pipeline.LightmillException for errors that the caller can fix
   */
  public static RunResult execute(
      SparkSession spark,
      Optional<Dataset<Row>> prompts,
      GenerationOptions options,
      RunListener listener) {
    return execute(spark, prompts, options, listener, Instant.now());
  }

  /**
   * As above, for a caller that started earlier.
   *
   * @param started when the caller started; the deadline counts from then
   */
  public static RunResult execute(
      SparkSession spark,
      Optional<Dataset<Row>> prompts,
      GenerationOptions options,
      RunListener listener,
      Instant started) {
    check(options);
    try (MissingExecutors missing = MissingExecutors.of(spark.sparkContext())) {
      missing.watch();
      PlanningSession session = PlanningSession.of(spark, prompts);
      RunResult result =
          execute(
              session.spark(),
              session.prompts(),
              options,
              listener,
              RunHooks.of(session.spark(), options, started));
      ManifestMerge.refresh(spark, options);
      return result.in(spark);
    }
  }

  static RunResult execute(
      SparkSession spark,
      Optional<Dataset<Row>> prompts,
      GenerationOptions options,
      RunListener listener,
      RunHooks hooks) {
    long called = System.nanoTime();
    double start = Duration.between(hooks.started(), Instant.now()).toMillis() / 1000.0;
    GenerationOptions named = options.named(hooks.started());
    try (Resources open = new Resources()) {
      open.add(DrawingStop.begin(key(named)));
      RunEnding ending =
          open.add(
              RunEnding.of(
                  key(named),
                  spark.sparkContext(),
                  named.find(Options.DEADLINE).map(hooks.started()::plus),
                  hooks.clock()));
      try {
        PreparedRun run =
            PreparedRun.of(
                spark, prompts, named, new GuardedListener(listener), hooks, ending, open);
        return drawn(run, start, called, open);
      } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
        ending
            .reason(e)
            .ifPresent(
                reason -> {
                  throw reason;
                });
        throw e;
      } finally {
        ending.leave();
      }
    }
  }

  private static RunResult drawn(PreparedRun run, double start, long called, Resources open) {
    RepeatedStep steps = new RepeatedStep(key(run.options()), run.lock());
    try {
      run.ending().begin(Step.PLANNING);
      WriterPreload.begin(run.spark());
      PlannedRun plan = steps.of(repeated -> PlannedRun.of(run, open));
      DrawnRun drawn = steps.of(repeated -> DrawnRun.of(run, plan, open, repeated));
      run.ending().begin(Step.COMMITTED);
      RunTimes times = RunTimes.of(start, called, run.progress(), drawn);
      return steps.of(repeated -> FinishedRun.of(run, plan, drawn, times));
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      throw run.explained(e);
    }
  }

  /**
   * Ends a run of this driver early: no further batch starts, finished images are committed, and
   * the status of the others is {@link io.lightmill.udfs.ImageStatus#PENDING}. A run that is not
   * drawing yet, or that waits for executors or its store, ends within seconds, and {@link
   * #execute} throws an exception with {@code RUN_STOPPED}. No effect before {@link #execute} is
   * called and after it has returned.
   *
   * @param options of the run, with its run id
   * @return false, without effect, if the run is not active
   */
  public static boolean end(GenerationOptions options) {
    return DrawingStop.end(key(options));
  }

  /**
   * Whether {@link #end} or the deadline cancelled the run, which has not returned yet. Code that
   * cannot be interrupted may delay it.
   */
  public static boolean isCancelled(GenerationOptions options) {
    return RunEnding.isCancelled(key(options));
  }

  private static String key(GenerationOptions options) {
    return DrawingStop.key(options.get(Options.OUTPUT_DIRECTORY), options.get(Options.RUN_ID));
  }
}
