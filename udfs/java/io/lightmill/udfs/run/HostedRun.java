package io.lightmill.udfs.run;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.hosted.AllowanceLedger;
import io.lightmill.pipeline.hosted.HostedEndpoint;
import io.lightmill.pipeline.hosted.HostedSettings;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.HostedLoader;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.draw.HostedSending;
import io.lightmill.udfs.hosted.RunAllowance;
import io.lightmill.udfs.option.EfficiencyOptions;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.HostedOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.progress.DrawingStop;
import io.lightmill.udfs.progress.ProgressPlugin;
import io.lightmill.udfs.report.RunRecord;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkContext;

/** A run with a hosted model: its options, its allowance and what its requests cost. */
final class HostedRun {

  /** Options that have no effect on a hosted model. */
  private static final List<Option<?>> OF_CHECKPOINTS =
      Stream.concat(
              Stream.of(
                  ModelOptions.VARIANT,
                  ModelOptions.DTYPE,
                  ModelOptions.LORA,
                  ModelOptions.BATCH_SIZE,
                  ModelOptions.THREADS_PER_IMAGE,
                  ModelOptions.OFFLOAD,
                  ModelOptions.OFFLOAD_CHUNK,
                  Options.TRUNCATE_PROMPTS),
              EfficiencyOptions.ALL.stream())
          .toList();

  private static final int CONCURRENT_REQUESTS = 8;

  /** Time between the limit of a request and the end of its lease. */
  private static final Duration SLACK = Duration.ofSeconds(30);

  private HostedRun() {}

  /** Whether the options name a hosted model. */
  static boolean isHosted(GenerationOptions options) {
    return HostedEndpoint.isHosted(options.get(ModelOptions.CHECKPOINT));
  }

  /**
   * Checks what needs neither Spark nor network.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID}, also for options of hosted
   *     models with a checkpoint, and for those of checkpoints with a hosted model
   */
  static void check(GenerationOptions options) {
    if (!isHosted(options)) {
      refuse(
          options,
          HostedOptions.ALL,
          "is for hosted models, and the checkpoint '%s' is none; remove it, or name a model such as foundry:https://…#MAI-Image-2e"
              .formatted(options.get(ModelOptions.CHECKPOINT)));
      return;
    }
    refuse(options, OF_CHECKPOINTS, "has no effect on a hosted model; remove it");
    HostedConnection connection = HostedConnection.of(options, new Configuration(false));
    if (options.has(HostedOptions.MAX_COST) && !connection.settings().prices().given()) {
      throw invalid(
          "option 'max-cost' needs a price; give price-per-million-output-tokens or"
              + " price-per-image");
    }
  }

  /**
   * Refuses a hosted model without an output: a query that fails would pay for its images again.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID}
   */
  static void refuseWithoutOutput(GenerationOptions options) {
    if (isHosted(options)) {
      throw invalid(
          "a hosted model needs an output, since a query that is repeated would pay for its images"
              + " again; give an output, or name a checkpoint");
    }
  }

  private static void refuse(GenerationOptions options, List<Option<?>> refused, String sentence) {
    refused.stream()
        .filter(options::has)
        .findFirst()
        .ifPresent(
            option -> {
              throw invalid("option '%s' %s".formatted(option, sentence));
            });
  }

  /**
   * The hosted model of a run, with an allowance that the caller closes. Nothing is sent, and no
   * credential is read.
   */
  static JobCheckpoint open(GenerationOptions options, Configuration hadoop) {
    HostedConnection connection = HostedConnection.of(options, hadoop);
    AllowanceLedger ledger =
        new AllowanceLedger(
            new AllowanceLedger.Limits(
                options.find(HostedOptions.REQUESTS_PER_MINUTE).orElse(0),
                atOnce(options),
                options.find(HostedOptions.MAX_COST).orElse(Double.POSITIVE_INFINITY),
                longest(connection.settings())),
            System::nanoTime);
    return JobCheckpoint.hosted(connection.loader(RunAllowance.open(ledger)));
  }

  /**
   * Checks that the run can send requests.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if the driver has no credential,
   *     the host has no address, or executors could not ask the driver for requests
   */
  static void requireConnected(HostedLoader loader, SparkContext spark) {
    loader.credential().secret();
    if (loader.settings().proxy() == null && System.getProperty("https.proxyHost") == null) {
      loader.endpoint().requireHost();
    }
    if (!spark.isLocal() && !ProgressPlugin.configured(spark.getConf())) {
      throw invalid(
          "a hosted model needs %s in spark.plugins on a cluster, since executors ask the driver for each request; set it before Spark starts"
              .formatted(ProgressPlugin.class.getName()));
    }
  }

  /** After this time a request has ended, whatever became of its process. */
  private static Duration longest(HostedSettings settings) {
    return settings.connectTimeout().plus(settings.requestTimeout()).plus(SLACK);
  }

  private static int atOnce(GenerationOptions options) {
    return options.find(HostedOptions.CONCURRENT_REQUESTS).orElse(CONCURRENT_REQUESTS);
  }

  /** How a task of the run requests images. */
  static HostedSending sending(GenerationOptions options, HostedLoader loader, Cluster cluster) {
    int all = atOnce(options);
    int each = (2 * all + cluster.slots() - 1) / cluster.slots(); // the last tasks share all of it
    return new HostedSending(
        Math.max(1, Math.min(all, each)), longest(loader.settings()), loader.endpoint().location());
  }

  /** Why the run sends no further request; empty while it continues. */
  static Optional<String> ended(
      GenerationOptions options, String run, Instant started, Clock clock) {
    if (DrawingStop.isEnded(run)) {
      return Optional.of("the run ends early; run it again");
    }
    return options
        .find(Options.DEADLINE)
        .filter(deadline -> !clock.instant().isBefore(started.plus(deadline)))
        .map(deadline -> "the deadline of the run has passed; run it again");
  }

  /** The allowance of a run; empty for a checkpoint. */
  static Optional<RunAllowance> allowance(JobCheckpoint checkpoint) {
    return checkpoint
        .loader()
        .hosted()
        .map(HostedLoader::allowance)
        .filter(RunAllowance.class::isInstance)
        .map(RunAllowance.class::cast);
  }

  /** The requests of a run so far; empty for a checkpoint. */
  static Optional<RunRecord.Hosted> requests(JobCheckpoint checkpoint) {
    return allowance(checkpoint)
        .flatMap(RunAllowance::ledger)
        .map(AllowanceLedger::totals)
        .map(sums -> new RunRecord.Hosted(sums.requests(), sums.cost(), sums.lostCost()));
  }

  /** Why requests were not sent, if it is not the end of the run itself. */
  static Optional<String> refusal(JobCheckpoint checkpoint) {
    return allowance(checkpoint).flatMap(RunAllowance::ledger).flatMap(AllowanceLedger::ended);
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message);
  }
}
