package io.lightmill.udfs.run;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.policy.PromptPolicy;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.device.LoadedPipelines;
import io.lightmill.udfs.draw.Batching;
import io.lightmill.udfs.draw.HostedSending;
import io.lightmill.udfs.draw.ImageMarking;
import io.lightmill.udfs.earlier.EarlierManifests;
import io.lightmill.udfs.lakehouse.ManifestTable;
import io.lightmill.udfs.lock.LockWait;
import io.lightmill.udfs.lock.OutputLock;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.RunAttempt;
import io.lightmill.udfs.option.CheckOptions;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.LakehouseOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.Sink;
import io.lightmill.udfs.progress.DrawingStop;
import io.lightmill.udfs.progress.ImageProgress;
import io.lightmill.udfs.shard.Packing;
import io.lightmill.udfs.shard.ShardFormat;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.StoreTime;
import io.lightmill.udfs.table.PromptInput;
import io.lightmill.udfs.table.PromptRows;
import io.lightmill.udfs.table.TableVersion;
import io.lightmill.udfs.table.TaskFailures;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Step 1: options, table and output are checked, the output is locked, the checkpoint is open.
 *
 * @param options with the run id of this attempt
 * @param ending ends the run early
 * @param policy for prompts; empty if there is none
 * @param reserved when the run began in the output, by the clock of the store
 */
record PreparedRun(
    SparkSession spark,
    GenerationOptions options,
    RunListener listener,
    RunHooks hooks,
    RunEnding ending,
    Optional<PromptPolicy> policy,
    PromptRows table,
    Instant reserved,
    OutputLock lock,
    JobCheckpoint checkpoint,
    ImageMarking marking,
    ImageProgress progress) {

  static PreparedRun of(
      SparkSession spark,
      Optional<Dataset<Row>> prompts,
      GenerationOptions options,
      RunListener listener,
      RunHooks hooks,
      RunEnding ending,
      Resources open) {
    String output = options.get(Options.OUTPUT_DIRECTORY);
    String runId = options.get(Options.RUN_ID);
    String key = DrawingStop.key(output, runId);
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    Optional<PromptPolicy> policy =
        LongWait.REPORTED.of(
            options.get(CheckOptions.POLICY), listener, () -> PolicyFile.of(options, hadoop));
    PromptRows table =
        LongWait.REPORTED.of(
            options.find(Options.INPUT).orElse(PromptInput.DATA_FRAME),
            listener,
            () -> PromptRows.open(spark, input(prompts, options), Manifest.reserved()));
    table.notices().forEach(listener::notice);
    ManifestMerge.table(spark, options).ifPresent(ManifestTable::require);
    ImageStore store = ImageStore.open(output, hadoop);
    StoreTime reserved =
        LongWait.REPORTED.of(output, listener, () -> store.probeWritable(hooks.clock()));
    OutputLock lock =
        open.add(
            new LockWait(
                    options.find(Options.WAIT_FOR_LOCK).orElse(Duration.ZERO), Clock.systemUTC())
                .take(
                    () ->
                        OutputLock.of(
                            output, runId, hadoop, reserved.clock(hooks.clock()), ending::abort),
                    listener::waitingForLock));
    ending.locked(lock);
    RunAttempt attempt = RunAttempt.next(runId, EarlierManifests.committed(store));
    JobCheckpoint checkpoint = // may take minutes: all bytes are fetched and hashed
        LongWait.REPORTED.of(
            options.get(ModelOptions.CHECKPOINT), listener, () -> hooks.checkpoint().get());
    HostedRun.allowance(checkpoint)
        .ifPresent(
            allowance -> {
              open.add(allowance::close);
              checkpoint
                  .loader()
                  .hosted()
                  .ifPresent(loader -> HostedRun.requireConnected(loader, spark.sparkContext()));
              allowance.endWhen(
                  () -> HostedRun.ended(options, key, hooks.started(), hooks.clock()));
              UnsentColumns.notice(options, table.columns().sources().keySet())
                  .ifPresent(listener::notice);
            });
    ImageMarking marking = ImageFiles.marking(spark, checkpoint.model(), options, hooks.started());
    open.add(LoadedPipelines.run(checkpoint.loader()));
    listener.opened(
        checkpoint.model().pipelineClass(), checkpoint.model().digest(), checkpoint.limits());
    ImageProgress progress =
        open.add(
            ImageProgress.follow(spark, key, listener, number(options.find(Options.MAX_FAILURES))));
    return new PreparedRun(
        spark,
        options.with(Options.RUN_ID, attempt.name()),
        listener,
        hooks,
        ending,
        policy,
        table,
        reserved.now(),
        lock,
        checkpoint,
        marking,
        progress);
  }

  static PromptInput input(Optional<Dataset<Row>> prompts, GenerationOptions options) {
    return new PromptInput(
        prompts,
        prompts.isPresent()
            ? options.find(Options.INPUT).orElse(PromptInput.DATA_FRAME)
            : options.get(Options.INPUT),
        options.find(Options.INPUT_FORMAT),
        new TableVersion(
            options.find(LakehouseOptions.INPUT_VERSION),
            options.find(LakehouseOptions.INPUT_TIMESTAMP)),
        options.entries(Options.COLUMN),
        options.find(Options.PROMPT_TEMPLATE),
        number(options.find(Options.LIMIT)));
  }

  private static OptionalInt number(Optional<Integer> value) {
    return value.map(OptionalInt::of).orElseGet(OptionalInt::empty);
  }

  String tableName() {
    return options.find(Options.INPUT).orElse(PromptInput.DATA_FRAME);
  }

  String output() {
    return options.get(Options.OUTPUT_DIRECTORY);
  }

  String runId() {
    return options.get(Options.RUN_ID);
  }

  Cluster cluster() {
    return hooks.cluster();
  }

  /** How many images are drawn together on this cluster. */
  Batching batching() {
    return sending()
        .map(hosted -> new Batching(1, hosted.atOnce()))
        .orElseGet(() -> Batching.of(options, cluster()));
  }

  /** How images of a hosted model are requested; empty for a checkpoint. */
  Optional<HostedSending> sending() {
    return checkpoint
        .loader()
        .hosted()
        .map(loader -> HostedRun.sending(options, loader, cluster()));
  }

  /**
   * Images that the plan keeps together.
   *
   * @param images to draw
   */
  int together(long images) {
    return cluster().together(batching().batchSize(), batching().chunk(), images);
  }

  OptionalInt partitions() {
    return number(options.find(ModelOptions.PARTITIONS));
  }

  DrawingStop stop() {
    return new DrawingStop(
        DrawingStop.key(output(), runId()),
        options.find(Options.DEADLINE).map(hooks.started()::plus).orElse(null),
        hooks.clock());
  }

  /** How images are packed; empty for files. */
  Optional<Packing> packing() {
    Sink sink = options.get(Options.SINK);
    return sink == Sink.FILES
        ? Optional.empty()
        : Optional.of(new Packing(ShardFormat.valueOf(sink.name()), options.shardSize()));
  }

  /** The reason for a failure that the caller can fix, else the failure. */
  RuntimeException explained(Exception failure) {
    lock.explain(failure);
    return ExceptionUtils.throwableOfType(failure, LightmillException.class) == null
        ? FullDisk.of(failure, output(), spark.sparkContext().getConf())
            .<RuntimeException>map(full -> full)
            .orElseGet(() -> TaskFailures.fixable(tableName(), failure))
        : TaskFailures.fixable(tableName(), failure);
  }
}
