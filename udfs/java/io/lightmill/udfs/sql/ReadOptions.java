package io.lightmill.udfs.sql;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The options of {@code spark.read.format("lightmill")}. Keys are written with hyphens or
 * underscores.
 *
 * @param output the directory that is loaded
 * @param runId the one run whose rows are read; empty for the current state or all runs
 * @param allRuns whether every row of every run is read, instead of the newest row of each image
 * @param imageBytes whether the rows have a column {@value #IMAGE} with the bytes of the image
 */
record ReadOptions(String output, Optional<String> runId, boolean allRuns, boolean imageBytes) {

  /** The column of the image bytes. */
  static final String IMAGE = "image";

  private static final String PATH = "path";
  private static final String RUN_ID = "run-id";
  private static final String ALL_RUNS = "all-runs";
  private static final String IMAGE_BYTES = "image-bytes";

  /**
   * @param options as Spark passes them
   * @throws LightmillException with {@code CONFIGURATION_INVALID} for an unknown key, a value that
   *     is neither true nor false, options that exclude each other, and where no output is named
   */
  static ReadOptions of(Map<String, String> options) {
    Optional<String> output = Optional.empty();
    Optional<String> runId = Optional.empty();
    boolean allRuns = false;
    boolean imageBytes = false;
    for (Map.Entry<String, String> option : options.entrySet()) {
      String value = option.getValue();
      switch (option.getKey().toLowerCase(Locale.ROOT).replace('_', '-')) {
        case PATH -> output = Optional.of(value).filter(path -> !path.isBlank());
        case RUN_ID -> runId = Optional.of(value);
        case ALL_RUNS -> allRuns = flag(ALL_RUNS, value);
        case IMAGE_BYTES -> imageBytes = flag(IMAGE_BYTES, value);
        default ->
            throw invalid(
                "format lightmill has no read option '%s'; choose from %s, %s and %s"
                    .formatted(option.getKey(), RUN_ID, ALL_RUNS, IMAGE_BYTES));
      }
    }
    if (runId.isPresent() && allRuns) {
      throw invalid(
          "the options %s and %s exclude each other; remove one".formatted(RUN_ID, ALL_RUNS));
    }
    return new ReadOptions(
        output.orElseThrow(
            () ->
                invalid(
                    "format lightmill reads one output; name its directory, as in"
                        + " load(\"s3a://bucket/campaign\")")),
        runId,
        allRuns,
        imageBytes);
  }

  private static boolean flag(String key, String value) {
    return switch (value.toLowerCase(Locale.ROOT)) {
      case "true" -> true;
      case "false" -> false;
      default -> throw invalid("option %s is '%s'; write true or false".formatted(key, value));
    };
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.CONFIGURATION_INVALID, message);
  }
}
