package io.lightmill.jobs;

import io.lightmill.pipeline.torch.Torch;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.run.GenerationRun;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
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
      "other columns are copied to the manifest. CSV files have a header, commas and",
      "UTF-8.",
      "",
      "Exit statuses: 0 success; 1 unexpected failure; 2 invalid configuration or",
      "input, before any image is drawn; 3 more failed and invalid rows than",
      "--max-failures allows; 4 stopped by the deadline, by SIGTERM or by a GPU that",
      "fails for good, with finished images committed: run again for the rest."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class GenerateCommand implements Callable<Integer> {

  private static final Logger LOG = LoggerFactory.getLogger(GenerateCommand.class);
  private static final RegisteredOptions OPTIONS = new RegisteredOptions(Options.all(), Set.of());

  /** Set by the launcher: Java cannot tell whether standard error is a terminal. */
  private static final String TERMINAL = "LIGHTMILL_TERMINAL";

  @Spec private CommandSpec spec;

  @Option(
      names = "--config",
      paramLabel = "FILE.yaml",
      description =
          "Job file in YAML with the options below as keys. The command line takes precedence.")
  private Path config;

  /** The command with all registered options. */
  static CommandLine commandLine() {
    CommandLine command = new CommandLine(new GenerateCommand());
    OPTIONS.addTo(command.getCommandSpec());
    OPTIONS.groupIn(command);
    return command;
  }

  @Override
  public Integer call() throws IOException {
    Instant started = Instant.now();
    GenerationOptions options = options().named(started);
    SparkConf conf = SparkSessions.conf(options);
    if (SparkSessions.isLocal(conf)) {
      startEngine();
    }
    String name = "lightmill generate " + options.get(Options.RUN_ID);
    try (SparkSession session = SparkSessions.start(conf, name)) {
      RunResult result = run(session, options, started);
      new PrintedResult(spec.commandLine().getOut(), spec.commandLine().getErr()).print(result);
      return ExitStatus.of(result.summary(), options.find(Options.MAX_FAILURES));
    }
  }

  /** The options of job file and command line, checked as far as that needs no Spark. */
  GenerationOptions options() {
    Map<String, String> values = new LinkedHashMap<>();
    if (config != null) {
      values.putAll(JobFile.read(config));
    }
    values.putAll(OPTIONS.values(spec.commandLine().getParseResult()));
    GenerationOptions options = GenerationOptions.parseWithSession(values);
    options.get(Options.INPUT);
    options.get(Options.OUTPUT_DIRECTORY);
    return options;
  }

  private RunResult run(SparkSession session, GenerationOptions options, Instant started) {
    PrintWriter err = spec.commandLine().getErr();
    boolean terminal = "1".equals(System.getenv(TERMINAL));
    try (GenerationProgress progress =
            new GenerationProgress(err, terminal, System::nanoTime, options);
        Termination termination =
            Termination.of(
                () -> GenerationRun.end(options), () -> GenerationRun.isCancelled(options), err)) {
      termination.listen();
      return GenerationRun.execute(session, Optional.empty(), options, progress, started);
    }
  }

  /** Loads libtorch while Spark starts; a failure is reported where libtorch is used. */
  private static void startEngine() {
    Thread start = new Thread(Torch::start, "start libtorch");
    start.setUncaughtExceptionHandler((thread, failure) -> LOG.debug("libtorch", failure));
    start.setDaemon(true);
    start.start();
  }
}
