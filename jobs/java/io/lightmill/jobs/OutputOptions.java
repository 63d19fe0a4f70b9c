package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.image.ImageFormat;
import java.util.Optional;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** Options that say where images, manifest and run record go. */
final class OutputOptions {

  /** It becomes a part of directory and file names. */
  private static final Pattern RUN_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

  @Option(
      names = "--output",
      paramLabel = "DIRECTORY",
      description = "Where images, manifest and run record go, on any Hadoop file system.")
  private Optional<String> output;

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      defaultValue = "png",
      description = "Format of the images: png or jpeg (${DEFAULT-VALUE}).")
  private ImageFormat format;

  @Option(
      names = "--path-template",
      paramLabel = "TEXT",
      description =
          "Names of the images by columns of their rows, such as \"{sku}/{image_id}\"; by image_id"
              + " unless given.")
  private Optional<String> pathTemplate;

  @Option(
      names = "--force",
      description =
          "Draw again what earlier runs over this output have drawn, instead of reusing it.")
  private boolean force;

  @Option(
      names = "--run-id",
      paramLabel = "ID",
      description = "Name of this run, new below the output; time and chance unless given.")
  private Optional<String> runId;

  @Option(
      names = "--max-failures",
      paramLabel = "ROWS",
      defaultValue = "0",
      description = "Failed and invalid rows beyond which the exit status is 3 (${DEFAULT-VALUE}).")
  private int maxFailures;

  String directory() {
    return output.orElseThrow(
        () ->
            new LightmillException(
                ErrorCode.CONFIGURATION_INVALID,
                "No output is given: name a directory with --output, or with 'output' in the job"
                    + " file of --config."));
  }

  ImageFormat format() {
    return format;
  }

  Optional<String> pathTemplate() {
    return pathTemplate;
  }

  boolean force() {
    return force;
  }

  /** The name that was asked for, checked; empty where one is to be made up. */
  Optional<String> runId() {
    runId
        .filter(id -> !RUN_ID.matcher(id).matches())
        .ifPresent(
            id -> {
              throw new LightmillException(
                  ErrorCode.CONFIGURATION_INVALID,
                  "--run-id is '%s', but must be at most 100 letters, digits, dots, dashes and"
                          .formatted(id)
                      + " underscores, of which the first is a letter or a digit.");
            });
    return runId;
  }

  int maxFailures() {
    return OptionBounds.atLeast(0, "--max-failures", maxFailures);
  }
}
