package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.GenerationSettings;
import io.lightmill.udfs.shard.ShardFormat;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** Options that say where images, manifest and run record go. */
final class OutputOptions {

  /** It becomes a part of directory and file names. */
  private static final Pattern RUN_ID = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

  private static final Pattern DURATION =
      Pattern.compile("(?=\\d)(\\d{1,6}h)?(\\d{1,6}m)?(\\d{1,9}s)?");

  private static final int DEFAULT_SHARD_SIZE = 1000;

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
      names = "--sink",
      paramLabel = "SINK",
      defaultValue = "files",
      description =
          "What images are stored in: files, one each; webdataset, tar shards with prompts and"
              + " rows; or parquet, image bytes in Parquet (${DEFAULT-VALUE}).")
  private Sink sink;

  @Option(
      names = "--shard-size",
      paramLabel = "IMAGES",
      description = "Most images of a shard of webdataset or parquet; 1000 unless given.")
  private Optional<Integer> shardSize;

  @Option(
      names = "--force",
      description =
          "Draw again what earlier runs over this output have drawn, instead of reusing it.")
  private boolean force;

  @Option(
      names = "--retry-failed",
      negatable = true,
      defaultValue = "true",
      fallbackValue = "true",
      description =
          "Try again what earlier runs failed to draw; --no-retry-failed leaves it failed"
              + " (${DEFAULT-VALUE}).")
  private boolean retryFailed;

  @Option(
      names = "--deadline",
      paramLabel = "DURATION",
      description =
          "Time from the start, such as 55m or 7h30m, by which to end: batches that would not make"
              + " it are left to a rerun, and the exit status is 4.")
  private Optional<String> deadline;

  @Option(
      names = "--run-id",
      paramLabel = "ID",
      description = "Name of this run, new below the output; time and chance unless given.")
  private Optional<String> runId;

  @Option(
      names = "--max-failures",
      paramLabel = "ROWS",
      description =
          "Failed and invalid rows that a run may have: beyond them it begins no further batch, and"
              + " the exit status is 3. Without it no row stops the run, and one makes it 3.")
  private Optional<Integer> maxFailures;

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

  /** How images are packed; empty for files. */
  Optional<GenerationSettings.Packing> packing() {
    OptionalInt images = OptionBounds.atLeast(1, "--shard-size", shardSize);
    if (sink == Sink.FILES && images.isPresent()) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "--shard-size is %d, but --sink files packs no images; leave it out, or choose webdataset or parquet."
              .formatted(images.getAsInt()));
    }
    return sink.shards()
        .map(format -> new GenerationSettings.Packing(format, images.orElse(DEFAULT_SHARD_SIZE)));
  }

  GenerationSettings.Rerun rerun() {
    return new GenerationSettings.Rerun(force, retryFailed);
  }

  /** The instant by which to end. */
  Optional<Instant> deadline(Instant started) {
    return deadline.map(duration -> started.plus(duration(duration)));
  }

  /** ISO-8601 without its letters P and T. */
  private static Duration duration(String text) {
    if (DURATION.matcher(text).matches()) {
      Duration duration = Duration.parse("PT" + text.toUpperCase(Locale.ROOT));
      if (!duration.isZero()) {
        return duration;
      }
    }
    throw new LightmillException(
        ErrorCode.CONFIGURATION_INVALID,
        "--deadline is '%s', but must be a time such as 90s, 55m or 7h30m.".formatted(text));
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

  /** Failed and invalid rows beyond which the run stops; empty for no limit. */
  OptionalInt maxFailures() {
    return OptionBounds.atLeast(0, "--max-failures", maxFailures);
  }

  /** What images are stored in. */
  enum Sink {
    FILES(null),
    WEBDATASET(ShardFormat.WEBDATASET),
    PARQUET(ShardFormat.PARQUET);

    private final ShardFormat shards;

    Sink(ShardFormat shards) {
      this.shards = shards;
    }

    private Optional<ShardFormat> shards() {
      return Optional.ofNullable(shards);
    }
  }
}
