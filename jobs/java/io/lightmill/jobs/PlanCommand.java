package io.lightmill.jobs;

import io.lightmill.udfs.estimate.PlanReport;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.run.GenerationRun;
import io.lightmill.udfs.run.RunPlan;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lightmill plan}: what a run would do, take and cost. */
@Command(
    name = "plan",
    description =
        "Prints what 'generate' with the same options would do: images to draw, existing, blocked"
            + " and invalid; device time, cost and bytes. Draws a few images to measure the speed,"
            + " unless earlier runs or options give it, and writes nothing.",
    customSynopsis =
        "lightmill plan --input=TABLE --output=DIRECTORY [--config=FILE.yaml] [OPTION]…",
    sortOptions = false,
    footerHeading = "%nExit statuses:%n",
    footer = {
      "0 success; 1 unexpected failure; 2 invalid configuration or input, or rows that",
      "have the id of another row, which 'generate' refuses."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class PlanCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Mixin private JobArguments job;

  @Option(
      names = SummaryFile.JSON,
      description = "Print the plan as JSON on standard output, and nothing else there.")
  private boolean json;

  @Option(
      names = "--no-measure",
      description = "Draw no image: the speed is that of earlier runs over the output, or unknown.")
  private boolean noMeasure;

  static CommandLine commandLine() {
    CommandLine command = new CommandLine(new PlanCommand());
    JobArguments.addTo(command);
    return command;
  }

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = Verbosity.of(spec).progress(spec.commandLine().getErr());
    GenerationOptions options =
        job.options(spec.commandLine().getParseResult()).named(Instant.now());
    GenerationRun.check(options);
    SparkConf conf = SparkSessions.conf(options);
    PlanReport report;
    try (SparkSession session = SparkSessions.start(conf, "lightmill plan");
        GenerationProgress progress =
            new GenerationProgress(err, false, System::nanoTime, options)) {
      report =
          RunPlan.of(
              session,
              Optional.empty(),
              options,
              noMeasure ? RunPlan.Speed.EARLIER : RunPlan.Speed.MEASURED,
              progress);
    }
    if (json) {
      out.println(report.json());
    } else {
      report.lines().forEach(out::println);
    }
    out.flush();
    return report.images().duplicateIds() > 0 ? ExitStatus.REFUSED : ExitStatus.DONE;
  }
}
