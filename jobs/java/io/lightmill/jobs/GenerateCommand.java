package io.lightmill.jobs;

import io.lightmill.pipeline.torch.Torch;
import io.lightmill.udfs.GenerationSettings;
import io.lightmill.udfs.ImageGeneration;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.Callable;
import org.apache.commons.lang3.RandomStringUtils;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lightmill generate}: a prompt table in, images and a manifest out. */
@Command(
    name = "generate",
    description = "Draws the images that a table of prompts asks for.",
    customSynopsis =
        "lightmill generate --input=TABLE --output=DIRECTORY [--config=FILE.yaml] [OPTION]…",
    sortOptions = false,
    footerHeading = "%nExamples:%n",
    footer = {
      "  Try eight rows of a table that has its own names for things:",
      "    lightmill generate --input products.csv --output out/try --limit 8 \\",
      "      --column id=sku --prompt-template \"{color} {name} on {background}\"",
      "  The same from a job file, for all rows, two images a row:",
      "    lightmill generate --config products.yaml --num-images-per-prompt 2",
      "  Another checkpoint, from object storage to object storage:",
      "    lightmill generate --checkpoint s3a://bucket/FLUX.1-schnell \\",
      "      --input s3a://bucket/prompts.parquet --output s3a://bucket/out",
      "",
      "Columns of a prompt table: prompt, or those of a template; and if you like id,",
      "negative_prompt, width, height, num_inference_steps, guidance_scale,",
      "true_cfg_scale, max_sequence_length, seed, num_images_per_prompt, lora. All",
      "others pass through to the manifest. CSV has a header, commas, letters in UTF-8.",
      "",
      "Exit statuses: 0 all done; 1 unexpected failure; 2 configuration or input",
      "refused, before anything is drawn; 3 more failed and invalid rows than",
      "--max-failures allows; 4 stopped at the deadline or by SIGTERM, with what",
      "was drawn committed: run again for the rest."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class GenerateCommand implements Callable<Integer> {

  private static final Logger LOG = LoggerFactory.getLogger(GenerateCommand.class);

  private static final DateTimeFormatter RUN_TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

  /** Set by the launcher: Java cannot tell whether standard error is a terminal. */
  private static final String TERMINAL = "LIGHTMILL_TERMINAL";

  @Spec private CommandSpec spec;

  @Option(
      names = JobFileArguments.CONFIG,
      paramLabel = "FILE.yaml",
      description = "Job file in YAML: the long names below as keys. The command line wins.")
  @SuppressWarnings("UnusedVariable") // JobFileArguments takes it from the parsed command line
  private Path config;

  @Mixin private PromptTableOptions promptTable;
  @Mixin private OutputOptions output;
  @Mixin private EngineOptions engine;
  @Mixin private ImageOptions images;
  @Mixin private SparkOptions spark;

  @Override
  public Integer call() throws IOException {
    Instant started = Instant.now();
    GenerationSettings settings = settings(started);
    SparkConf conf = spark.conf();
    if (SparkSessions.isLocal(conf)) {
      startEngine();
    }
    try (SparkSession session =
        SparkSessions.start(conf, "lightmill generate " + settings.runId())) {
      Instant flowing = Instant.now();
      ImageGeneration.Result result = generate(session, settings);
      FinishedRun run =
          new FinishedRun(settings, AskedOptions.of(spec), result, started, flowing, Instant.now());
      run.leaveBehind(session, spec.commandLine().getOut(), spec.commandLine().getErr());
      return run.summary().exitStatus(settings.mostFailures());
    }
  }

  /** The options as the job takes them, checked as far as that needs no Spark. */
  GenerationSettings settings(Instant now) {
    return new GenerationSettings(
        promptTable.table(),
        images.defaults(),
        engine.checkpoint(),
        engine.loading(),
        output.directory(),
        output.format(),
        output.pathTemplate(),
        output.packing(),
        engine.batchSize(),
        engine.threadsPerImage(),
        engine.partitions(),
        engine.device(),
        engine.dtype(),
        output.runId().orElseGet(() -> madeUpRunId(now)),
        output.rerun(),
        output.deadline(now),
        output.maxFailures());
  }

  private ImageGeneration.Result generate(SparkSession session, GenerationSettings settings) {
    PrintWriter err = spec.commandLine().getErr();
    try (GenerationProgress progress =
            new GenerationProgress(
                err, "1".equals(System.getenv(TERMINAL)), System::nanoTime, settings);
        Termination termination = Termination.of(settings.runId(), err)) {
      termination.listen();
      return ImageGeneration.run(session, settings, progress);
    }
  }

  /** Beside Spark, since both take a while; whoever needs the engine first hears what failed. */
  private static void startEngine() {
    Thread start = new Thread(Torch::start, "start libtorch");
    start.setUncaughtExceptionHandler((thread, failure) -> LOG.debug("libtorch", failure));
    start.setDaemon(true);
    start.start();
  }

  private static String madeUpRunId(Instant now) {
    return RUN_TIME.format(now)
        + "-"
        + RandomStringUtils.secure().next(4, "0123456789abcdefghijklmnopqrstuvwxyz");
  }
}
