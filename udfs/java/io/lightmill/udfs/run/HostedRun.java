package io.lightmill.udfs.run;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.hosted.AllowanceLedger;
import io.lightmill.pipeline.hosted.CredentialHeader;
import io.lightmill.pipeline.hosted.HostedCredential;
import io.lightmill.pipeline.hosted.HostedEndpoint;
import io.lightmill.pipeline.hosted.HostedSettings;
import io.lightmill.pipeline.hosted.NamedCredential;
import io.lightmill.pipeline.hosted.TokenPrices;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.HadoopCredential;
import io.lightmill.udfs.device.HostedLoader;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.draw.HostedSending;
import io.lightmill.udfs.hosted.RunAllowance;
import io.lightmill.udfs.option.ColumnOptions;
import io.lightmill.udfs.option.EfficiencyOptions;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.HostedOptions;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.progress.DrawingStop;
import io.lightmill.udfs.progress.ProgressPlugin;
import io.lightmill.udfs.report.RunRecord;
import io.lightmill.udfs.store.SharedConfiguration;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkContext;

/** What the options of a run say of a hosted model. */
final class HostedRun {

  /** Options that have no effect on a hosted model. */
  private static final List<Option<?>> OF_CHECKPOINTS =
      Stream.concat(
              Stream.of(
                  Options.VARIANT,
                  Options.DTYPE,
                  Options.LORA,
                  Options.BATCH_SIZE,
                  Options.THREADS_PER_IMAGE,
                  Options.OFFLOAD,
                  Options.OFFLOAD_CHUNK,
                  Options.TRUNCATE_PROMPTS),
              EfficiencyOptions.ALL.stream())
          .toList();

  /** Columns of requests that endpoints have a field for, and the number of images. */
  private static final Set<RequestColumn<?>> SENT =
      Set.of(
          RequestColumns.ID,
          RequestColumns.PROMPT,
          RequestColumns.WIDTH,
          RequestColumns.HEIGHT,
          RequestColumns.NUM_IMAGES_PER_PROMPT,
          RequestColumns.REVISES);

  private static final int CONCURRENT_REQUESTS = 8;

  /** After the time limit of a request, before its lease ends. */
  private static final Duration SLACK = Duration.ofSeconds(30);

  private HostedRun() {}

  /** Whether the options name a hosted model. */
  static boolean isHosted(GenerationOptions options) {
    return HostedEndpoint.isHosted(options.get(Options.CHECKPOINT));
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
              .formatted(options.get(Options.CHECKPOINT)));
      return;
    }
    HostedEndpoint endpoint = HostedEndpoint.parse(options.get(Options.CHECKPOINT));
    refuse(options, OF_CHECKPOINTS, "has no effect on a hosted model; remove it");
    settings(options);
    credential(options, endpoint, new Configuration(false));
    if (options.has(HostedOptions.MAX_COST) && !prices(options).given()) {
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
   * The hosted model of a run, with an allowance that the caller closes.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if the driver has no credential,
   *     the host has no address, or executors could not ask the driver for requests
   */
  static JobCheckpoint open(GenerationOptions options, SparkContext spark) {
    HostedEndpoint endpoint = HostedEndpoint.parse(options.get(Options.CHECKPOINT));
    HostedSettings settings = settings(options);
    HostedCredential credential = credential(options, endpoint, spark.hadoopConfiguration());
    credential.secret();
    if (settings.proxy() == null && System.getProperty("https.proxyHost") == null) {
      endpoint.requireHost();
    }
    if (!spark.isLocal() && !ProgressPlugin.configured(spark.getConf())) {
      throw invalid(
          "a hosted model needs %s in spark.plugins on a cluster, since executors ask the driver for each request; set it before Spark starts"
              .formatted(ProgressPlugin.class.getName()));
    }
    AllowanceLedger ledger =
        new AllowanceLedger(
            new AllowanceLedger.Limits(
                options.find(HostedOptions.REQUESTS_PER_MINUTE).orElse(0),
                atOnce(options),
                options.find(HostedOptions.MAX_COST).orElse(Double.POSITIVE_INFINITY),
                longest(settings)),
            System::nanoTime);
    return JobCheckpoint.hosted(
        new HostedLoader(endpoint, settings, credential, RunAllowance.open(ledger)));
  }

  /** After this time a request has ended, whatever became of its process. */
  static Duration longest(HostedSettings settings) {
    return settings.connectTimeout().plus(settings.requestTimeout()).plus(SLACK);
  }

  /** Whether rows with values that are not sent are invalid. */
  static boolean refusesUnsent(GenerationOptions options) {
    return options.find(HostedOptions.UNSENT_VALUES).orElse(HostedOptions.UnsentValues.IGNORE)
        == HostedOptions.UnsentValues.INVALID;
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

  /** Why the run sends no further request; empty while it goes on. */
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

  static HostedSettings settings(GenerationOptions options) {
    HostedSettings standard = HostedSettings.STANDARD;
    return new HostedSettings(
        options.find(HostedOptions.HOSTED_QUALITY).orElse(null),
        options.find(HostedOptions.CONNECT_TIMEOUT).orElse(standard.connectTimeout()),
        options.find(HostedOptions.REQUEST_TIMEOUT).orElse(standard.requestTimeout()),
        options.find(HostedOptions.REQUEST_ATTEMPTS).orElse(standard.attempts()),
        options.find(HostedOptions.RETRY_TIME).orElse(standard.retryTime()),
        standard.firstPause(),
        options.find(HostedOptions.PROXY).orElse(null),
        !options.find(HostedOptions.HTTP1).orElse(false),
        prices(options));
  }

  static TokenPrices prices(GenerationOptions options) {
    return new TokenPrices(
        options.find(HostedOptions.INPUT_PRICE).orElse(null),
        options.find(HostedOptions.OUTPUT_PRICE).orElse(null),
        options.find(HostedOptions.IMAGE_PRICE).orElse(null),
        options.find(HostedOptions.OUTPUT_TOKENS).map(Integer::longValue).orElse(null));
  }

  private static HostedCredential credential(
      GenerationOptions options, HostedEndpoint endpoint, Configuration hadoop) {
    List<Option<?>> given =
        Stream.<Option<?>>of(
                HostedOptions.CREDENTIAL_ENV,
                HostedOptions.CREDENTIAL_FILE,
                HostedOptions.CREDENTIAL_ALIAS)
            .filter(options::has)
            .toList();
    if (given.size() > 1) {
      throw invalid(
          "the options %s each name a credential; give one of them"
              .formatted(given.stream().map(Option::key).collect(Collectors.joining(", "))));
    }
    CredentialHeader header =
        options.find(HostedOptions.CREDENTIAL_HEADER).orElse(endpoint.protocol().header());
    if (options.has(HostedOptions.CREDENTIAL_ALIAS)) {
      return new HadoopCredential(
          header, options.get(HostedOptions.CREDENTIAL_ALIAS), new SharedConfiguration(hadoop));
    }
    return options.has(HostedOptions.CREDENTIAL_FILE)
        ? new NamedCredential(header, null, options.get(HostedOptions.CREDENTIAL_FILE))
        : new NamedCredential(
            header,
            options.find(HostedOptions.CREDENTIAL_ENV).orElse(endpoint.protocol().environment()),
            null);
  }

  /** Names of columns whose values are not sent. */
  static Set<String> unsent() {
    return RequestColumns.ALL.stream()
        .filter(column -> !SENT.contains(column))
        .map(RequestColumn::name)
        .collect(Collectors.toSet());
  }

  /**
   * What the user should know of values that are not sent; empty if there are none.
   *
   * @param columns of the table that Lightmill reads
   */
  static Optional<String> notice(GenerationOptions options, Set<RequestColumn<?>> columns) {
    Set<String> unsent = unsent();
    Stream<String> ofTable =
        refusesUnsent(options)
            ? Stream.empty()
            : columns.stream()
                .map(RequestColumn::name)
                .filter(unsent::contains)
                .map(name -> "column '%s'".formatted(name));
    Stream<String> ofJob =
        ColumnOptions.all().entrySet().stream()
            .filter(each -> unsent.contains(each.getKey()) && options.has(each.getValue()))
            .map(each -> "option '%s'".formatted(each.getValue()));
    List<String> named = Stream.concat(ofTable.sorted(), ofJob.sorted()).toList();
    return named.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "the hosted model has no field for %s: these values are not sent, and a seed only makes an image another one; --unsent-values=invalid refuses rows that have such values"
                .formatted(String.join(", ", named)));
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
