package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.GenerationSettings;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options that say where the prompts come from. */
final class PromptTableOptions {

  @Option(
      names = "--input",
      paramLabel = "TABLE",
      description =
          "Prompt table: a CSV, Parquet or JSON lines file, a directory or glob of them, on any"
              + " Hadoop file system; or a Spark table.")
  private Optional<String> input;

  @Option(
      names = "--input-format",
      paramLabel = "FORMAT",
      description = "csv, json, parquet or table; told by the name of the input unless given.")
  private Optional<String> inputFormat;

  @Option(
      names = "--column",
      paramLabel = "OURS=THEIRS",
      description =
          "The table's own column for one of Lightmill's, such as prompt=caption. Repeatable.")
  private final Map<String, String> columns = new LinkedHashMap<>();

  @Option(
      names = "--prompt-template",
      paramLabel = "TEXT",
      description = "Prompt made from columns, such as \"a {color} {name} on {background}\".")
  private Optional<String> promptTemplate;

  @Option(
      names = "--limit",
      paramLabel = "ROWS",
      description = "Draw this many rows only, to try a table out.")
  private Optional<Integer> limit;

  GenerationSettings.Table table() {
    String location =
        input.orElseThrow(
            () ->
                new LightmillException(
                    ErrorCode.CONFIGURATION_INVALID,
                    "No prompt table is given: name one with --input, or with 'input' in the job"
                        + " file of --config."));
    return new GenerationSettings.Table(
        location,
        inputFormat,
        Map.copyOf(columns),
        promptTemplate,
        OptionBounds.atLeast(1, "--limit", limit));
  }
}
