package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.run.GenerationRun;
import io.lightmill.udfs.run.Preview;
import io.lightmill.udfs.run.RunPlan;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lightmill preview}: a few images of a run as a contact sheet, before the run. */
@Command(
    name = "preview",
    description =
        "Draws a sample of the images that 'generate' with the same options would draw, as a"
            + " contact sheet in a directory of its own. The sample is the same each time, has"
            + " images of all sizes, steps and adapters, and the images are those of the run.",
    customSynopsis = "lightmill preview --input=TABLE --output=DIRECTORY [--images=N] [OPTION]…",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class PreviewCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Option(
      names = "--images",
      paramLabel = "N",
      defaultValue = "12",
      description = "Maximum number of images of the sample. Default: 12.")
  private int images;

  @Option(
      names = "--stratify",
      paramLabel = "COLUMN",
      description =
          "Column of the table; the sample has images of as many of its values as possible.")
  private String stratify;

  @Option(
      names = "--preview-output",
      paramLabel = "DIRECTORY",
      description =
          "Directory for the sample, on any Hadoop file system. By default a temporary one.")
  private String directory;

  @Mixin private JobArguments job;

  @Option(
      names = SummaryFile.JSON,
      description =
          "Print the end of the preview as JSON on standard output, and nothing else there.")
  private boolean json;

  private final Instant started;

  private PreviewCommand(Instant started) {
    this.started = started;
  }

  /**
   * @param started when the process started
   */
  static CommandLine commandLine(Instant started) {
    CommandLine command = new CommandLine(new PreviewCommand(started));
    JobArguments.addTo(command);
    return command;
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter err = spec.commandLine().getErr();
    PrintWriter out = spec.commandLine().getOut();
    if (images < 1) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "--images is %d, but must be a whole number of at least 1".formatted(images));
    }
    GenerationOptions options = job.options(spec.commandLine().getParseResult()).named(started);
    GenerationRun.check(options);
    RunResult ended =
        new SessionRun(SparkSessions.conf(options), "lightmill preview", started)
            .printed(
                new PrintedResult(json ? err : out, err), session -> preview(session, options));
    if (json) {
      new SummaryFile(SummaryFile.STANDARD_OUTPUT, out, err).write(ended.report(options, started));
    }
    return ExitStatus.of(ended.summary(), options.find(Options.MAX_FAILURES));
  }

  private RunResult preview(SparkSession session, GenerationOptions options) {
    try (GenerationProgress progress = GenerationProgress.of(spec, options)) {
      return RunPlan.preview(
          session,
          Optional.empty(),
          options,
          new Preview(images, Optional.ofNullable(stratify), Optional.ofNullable(directory)),
          progress,
          started);
    }
  }
}
