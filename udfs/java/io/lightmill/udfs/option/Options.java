package io.lightmill.udfs.option;

import static io.lightmill.udfs.option.OptionGroup.IMAGES;
import static io.lightmill.udfs.option.OptionGroup.OUTPUT;
import static io.lightmill.udfs.option.OptionGroup.PROMPTS;
import static io.lightmill.udfs.option.OptionGroup.RERUN;

import io.lightmill.pipeline.image.ImageFormat;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** The options of the prompt table, the output, the run itself and its rows. */
public final class Options {

  public static final Option<String> INPUT =
      Option.of(
              "input",
              OptionType.text(),
              "TABLE",
              PROMPTS,
              "Prompt table: a CSV, Parquet or JSON lines file, a directory or glob of them, or a"
                  + " Delta or Iceberg directory, on any Hadoop file system; or a Spark table.")
          .besideJobFile();

  public static final Option<String> INPUT_FORMAT =
      Option.of(
          "input-format",
          OptionType.text(),
          "FORMAT",
          PROMPTS,
          "csv, json, parquet, openai-batch, delta, iceberg or table. By default the input"
              + " decides.");

  public static final Option<Map<String, String>> COLUMN =
      Option.of(
          "column",
          OptionType.map(name -> true, "entries such as prompt=caption"),
          "NAME=COLUMN",
          PROMPTS,
          "The column of the table to read as one of Lightmill's columns, such as prompt=caption."
              + " Repeatable.");

  public static final Option<String> PROMPT_TEMPLATE =
      Option.of(
          "prompt-template",
          OptionType.text(),
          "TEXT",
          PROMPTS,
          "Prompt composed of columns, such as \"a {color} {name} on {background}\".");

  public static final Option<Integer> LIMIT =
      Option.of(
          "limit",
          OptionType.wholeNumber(1),
          "ROWS",
          PROMPTS,
          "Read only this many rows, to try a table.");

  public static final Option<String> OUTPUT_DIRECTORY =
      Option.of(
          "output",
          OptionType.text(),
          "DIRECTORY",
          OUTPUT,
          "Directory for images, manifest and run record, on any Hadoop file system.");

  public static final Option<ImageFormat> FORMAT =
      Option.of(
              "format",
              OptionType.choice(ImageFormat.class),
              "FORMAT",
              OUTPUT,
              "Image format: png, jpeg or webp.")
          .or(ImageFormat.PNG);

  public static final Option<Integer> QUALITY =
      Option.of(
          "quality",
          OptionType.wholeNumber(1, 100),
          "N",
          OUTPUT,
          "Quality of jpeg (default 95) and webp (lossless by default), from 1 to 100.");

  public static final Option<String> PATH_TEMPLATE =
      Option.of(
          "path-template",
          OptionType.text(),
          "TEXT",
          OUTPUT,
          "Paths of the images, composed of columns, such as \"{sku}/{image_id}\". By default"
              + " images are named by their image_id.");

  public static final Option<Sink> SINK =
      Option.of(
              "sink",
              OptionType.choice(Sink.class),
              "SINK",
              OUTPUT,
              "How images are stored: files, one for each image; webdataset, tar shards with"
                  + " prompts and rows; or parquet, image bytes in Parquet files.")
          .or(Sink.FILES);

  /** Has its default where it is used: only shards have a size. */
  public static final Option<Integer> SHARD_SIZE =
      Option.of(
          "shard-size",
          OptionType.wholeNumber(1),
          "IMAGES",
          OUTPUT,
          "Maximum number of images in a shard of the sinks webdataset and parquet. Default:"
              + " 1000.");

  public static final Option<String> RUN_ID =
      Option.of(
          "run-id",
          // It becomes a part of directory and file names. Lightmill itself has the names of
          // further
          // attempts and of the report of the latest run.
          OptionType.text(
              Pattern.compile("(?!latest$)(?!.*\\.attempt-\\d+$)[A-Za-z0-9][A-Za-z0-9._-]{0,99}"),
              "at most 100 letters, digits, dots, dashes and underscores that begin with a letter"
                  + " or a digit, and neither 'latest' nor end in .attempt-N"),
          "ID",
          RERUN,
          "Name of this run in its output. The same id again continues the run: images that it has"
              + " stored are reused, even with force. Default: the time and four random"
              + " characters.");

  public static final Option<Boolean> FORCE =
      Option.of(
              "force",
              OptionType.flag(),
              "",
              RERUN,
              "Draw images again that earlier runs have stored in this output, instead of reusing"
                  + " them.")
          .or(false);

  public static final Option<Boolean> RETRY_FAILED =
      Option.of(
              "retry-failed",
              OptionType.flag(),
              "",
              RERUN,
              "Try images again that failed in earlier runs; --no-retry-failed leaves them failed.")
          .or(true);

  public static final Option<Duration> DEADLINE =
      Option.of(
          "deadline",
          OptionType.duration(),
          "DURATION",
          RERUN,
          "Time limit from the start, such as 55m or 7h30m: batches that would end after it are"
              + " left to a rerun, and the exit status is 4.");

  public static final Option<Duration> WAIT_FOR_LOCK =
      Option.of(
          "wait-for-lock",
          OptionType.duration(),
          "DURATION",
          RERUN,
          "How long to wait for an output that another run uses, such as 5m; after that, the"
              + " exit status is 75. By default the run ends at once.");

  public static final Option<Integer> MAX_FAILURES =
      Option.of(
          "max-failures",
          OptionType.wholeNumber(0),
          "ROWS",
          RERUN,
          "Maximum number of failed and invalid rows: with more, no further batch starts and the"
              + " exit status is 3. By default failures do not stop the run, and any failure sets"
              + " the exit status to 3.");

  public static final Option<Long> SEED =
      Option.of(
              "seed",
              OptionType.wholeNumber(),
              "N",
              IMAGES,
              "Seed of the run, from which the seeds of rows without one are derived.")
          .or(0L);

  public static final Option<Boolean> TRUNCATE_PROMPTS =
      Option.of(
              "truncate-prompts",
              OptionType.flag(),
              "",
              IMAGES,
              "Truncate prompts that are too long, instead of rejecting their rows.")
          .or(false);

  /** In the order of the help text. */
  static final List<Option<?>> OF_PROMPTS =
      List.of(INPUT, INPUT_FORMAT, COLUMN, PROMPT_TEMPLATE, LIMIT);

  /** In the order of the help text. */
  static final List<Option<?>> OF_OUTPUT =
      List.of(OUTPUT_DIRECTORY, FORMAT, QUALITY, PATH_TEMPLATE, SINK, SHARD_SIZE);

  /** In the order of the help text. */
  static final List<Option<?>> OF_RUN =
      List.of(RUN_ID, FORCE, RETRY_FAILED, DEADLINE, WAIT_FOR_LOCK, MAX_FAILURES);

  /** In the order of the help text. */
  static final List<Option<?>> OF_ROWS = List.of(SEED, TRUNCATE_PROMPTS);

  private Options() {}
}
