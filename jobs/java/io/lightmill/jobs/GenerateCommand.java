package io.lightmill.jobs;

import io.lightmill.pipeline.torch.Torch;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.report.RunReport;
import io.lightmill.udfs.run.GenerationRun;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lightmill generate}: a prompt table in, images and a manifest out. */
@Command(
    name = "generate",
    description = "Draws the images that a table of prompts requests.",
    customSynopsis =
        "lightmill generate --input=TABLE --output=DIRECTORY [--config=FILE.yaml] [OPTION]…",
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  Try eight rows of a table that has other column names:",
      "    lightmill generate --input products.csv --output out/try --limit 8 \\",
      "      --column id=sku --prompt-template \"{color} {name} on {background}\"",
      "  The same from a job file, for all rows, two images per row:",
      "    lightmill generate --config products.yaml --num-images-per-prompt 2",
      "  Another checkpoint, from object storage to object storage:",
      "    lightmill generate --checkpoint s3a://bucket/FLUX.1-schnell \\",
      "      --input s3a://bucket/prompts.parquet --output s3a://bucket/out",
      "",
      "Columns of a prompt table: prompt, or the columns of a template; optional are",
      "id, negative_prompt, width, height, num_inference_steps, guidance_scale,",
      "true_cfg_scale, max_sequence_length, seed, num_images_per_prompt, lora. All",
      "other columns are copied to the manifest. CSV files have a header and commas",
      "(or a first line such as sep=;), in UTF-8 or UTF-16.",
      "",
      "Exit statuses: 0 success; 1 unexpected failure; 2 invalid configuration or",
      "input, before any image is drawn; 3 more failed and invalid rows than",
      "--max-failures allows; 4 stopped by the deadline, by SIGTERM or by a GPU that",
      "fails for good, with finished images committed: run again for the rest;",
      "75 another run uses the output, or its store is unavailable: try again later."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class GenerateCommand implements Callable<Integer> {

  private static final Logger LOG = LoggerFactory.getLogger(GenerateCommand.class);
  @Spec private CommandSpec spec;

  @Mixin private JobArguments job;

  @Option(
      names = SummaryFile.OPTION,
      paramLabel = "FILE",
      description =
          "Write the end of the run as JSON to this file, on any Hadoop file system, whether the"
              + " run succeeds or fails; - for standard output, which then has nothing else.")
  private String summary;

  @Option(
      names = SummaryFile.JSON,
      description =
          "Print the end of the run as JSON on standard output, and nothing else there; as"
              + " --summary-json=-.")
  private boolean json;

  private final Instant started;
  private GenerationOptions options = GenerationOptions.EMPTY;

  private GenerateCommand(Instant started) {
    this.started = started;
  }

  /**
   * The command with all registered options.
   *
   * @param started when the process started, from which deadline and total time count
   */
  static CommandLine commandLine(Instant started) {
    CommandLine command = new CommandLine(new GenerateCommand(started));
    JobArguments.addTo(command);
    return command;
  }

  @Override
  public Integer call() throws IOException {
    CommandLine line = spec.commandLine();
    RunEndReports reports =
        new RunEndReports(
            SummaryFile.of(summary, json, line.getOut(), line.getErr()), line.getErr());
    PrintWriter out = reports.onStandardOutput() ? line.getErr() : line.getOut();
    try {
      return run(reports, new PrintedResult(out, line.getErr()));
    } catch (IOException | RuntimeException e) {
      Failure failure = Failure.of(e);
      reports.write(
          options,
          RunReport.failed(options, started, Instant.now(), failure.known(), failure.message()),
          failure.status());
      throw e;
    }
  }

  private int run(RunEndReports reports, PrintedResult printed) throws IOException {
    options = options().named(started);
    GenerationRun.check(options);
    SparkConf conf = SparkSessions.conf(options);
    reports.use(conf);
    if (SparkSessions.isLocal(conf)) {
      startEngine(options);
    }
    RunResult ended =
        new SessionRun(conf, "lightmill generate " + options.get(Options.RUN_ID), started)
            .printed(printed, this::run);
    int status = ExitStatus.of(ended.summary(), options.find(Options.MAX_FAILURES));
    reports.write(options, ended.report(options, started), status);
    return status;
  }

  /** The options of job file and command line, checked as far as that needs no Spark. */
  GenerationOptions options() {
    return job.options(spec.commandLine().getParseResult());
  }

  private RunResult run(SparkSession session) {
    PrintWriter err = spec.commandLine().getErr();
    try (GenerationProgress progress = GenerationProgress.of(spec, options);
        Termination termination =
            Termination.of(
                () -> GenerationRun.end(options), () -> GenerationRun.isCancelled(options), err)) {
      termination.listen();
      return GenerationRun.execute(session, Optional.empty(), options, progress, started);
    }
  }

  /**
   * Loads libtorch, opens the checkpoint and reads the credential while Spark starts; the run
   * reports failures.
   */
  private static void startEngine(GenerationOptions options) {
    Thread start =
        new Thread(
            () -> {
              GenerationRun.readAhead(options);
              Torch.start();
              GenerationRun.readCredential(options);
            },
            "start engine");
    start.setUncaughtExceptionHandler((thread, failure) -> LOG.debug("engine", failure));
    start.setDaemon(true);
    start.start();
  }
}
