package io.lightmill.jobs;

import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.LakehouseOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.SparkOptions;
import io.lightmill.udfs.run.ManifestMerge;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.spark.sql.SparkSession;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code lightmill merge}: the manifest table of an output is brought up to date. */
@Command(
    name = "merge",
    description = "Merges the current state of an output into a Delta or Iceberg table.",
    customSynopsis = "lightmill merge --output=DIRECTORY --manifest-table=TABLE [OPTION]…",
    sortOptions = false,
    footer = {
      "",
      "A run with --manifest-table does the same after its commit. Merging again",
      "changes nothing. Exit statuses: 0 the table has the current state; 2 output or",
      "table cannot be used; 75 a run uses the output."
    },
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class MergeCommand implements Callable<Integer> {

  private static final RegisteredOptions OPTIONS =
      new RegisteredOptions(
          List.of(
              Options.OUTPUT_DIRECTORY,
              LakehouseOptions.MANIFEST_TABLE,
              LakehouseOptions.MANIFEST_TABLE_FORMAT,
              Options.WAIT_FOR_LOCK,
              SparkOptions.MASTER,
              SparkOptions.CONF),
          Set.of(Options.OUTPUT_DIRECTORY, LakehouseOptions.MANIFEST_TABLE));

  @Spec private CommandSpec spec;

  static CommandLine commandLine() {
    CommandLine command = new CommandLine(new MergeCommand());
    OPTIONS.addTo(command.getCommandSpec());
    return command;
  }

  @Override
  public Integer call() throws IOException {
    GenerationOptions options =
        GenerationOptions.parseWithSession(OPTIONS.values(spec.commandLine().getParseResult()));
    try (SparkSession session =
        SparkSessions.start(SparkSessions.conf(options), "lightmill merge")) {
      ManifestMerge.execute(session, options);
    }
    spec.commandLine()
        .getOut()
        .println(
            "manifest table %s has the current state of %s"
                .formatted(
                    options.get(LakehouseOptions.MANIFEST_TABLE),
                    options.get(Options.OUTPUT_DIRECTORY)));
    return ExitStatus.DONE;
  }
}
