package io.lightmill.udfs.option;

import static io.lightmill.udfs.option.OptionGroup.IMAGES;
import static io.lightmill.udfs.option.OptionGroup.MODEL;
import static io.lightmill.udfs.option.OptionGroup.OUTPUT;
import static io.lightmill.udfs.option.OptionGroup.PROMPTS;
import static io.lightmill.udfs.option.OptionGroup.RERUN;
import static io.lightmill.udfs.option.OptionGroup.SAFETY;
import static io.lightmill.udfs.option.OptionGroup.SPARK;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.pipeline.policy.PromptPolicy;
import io.lightmill.udfs.DeviceChoice;
import java.time.Duration;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.commons.text.similarity.LevenshteinDistance;

/**
 * The registry of all options. A new option is one entry here and the place that uses its value;
 * parsing, help text, job files, the run record and the public API follow from the entry.
 */
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

  public static final Option<String> CHECKPOINT =
      Option.of(
              "checkpoint",
              OptionType.text(),
              "LOCATION",
              MODEL,
              "builtin:pocket, a directory in diffusers' layout on any Hadoop file system, or a"
                  + " hosted model: foundry:URL#MODEL or openai:URL#MODEL, as HOSTED.md says.")
          .or(CheckpointCache.BUILTIN_POCKET)
          .besideJobFile();

  public static final Option<String> VARIANT =
      Option.of(
          "variant",
          OptionType.text(),
          "NAME",
          MODEL,
          "Variant of the weight files to read, such as fp16. By default the files without a"
              + " variant, or the only ones.");

  public static final Option<DType> DTYPE =
      Option.of(
          "dtype",
          OptionType.choice(weightTypes()),
          "TYPE",
          MODEL,
          "Precision of the weights: float32, bfloat16 or float16. Default: bfloat16 on GPUs,"
              + " float32 on CPUs.");

  public static final Option<Map<String, String>> LORA =
      Option.of(
          "lora",
          OptionType.map(
              name -> name.matches(LoraBlend.NAME) && !name.equals(LoraBlend.NONE_NAMED),
              "name=file entries with names of letters, digits, dots, dashes and underscores, and"
                  + " not 'none'"),
          "NAME=FILE",
          MODEL,
          "A LoRA adapter (safetensors) and the name that rows use for it. Repeatable.");

  public static final Option<DeviceChoice> DEVICE =
      Option.of(
              "device",
              OptionType.choice(DeviceChoice.class),
              "DEVICE",
              MODEL,
              "auto, cpu or cuda: auto uses GPUs where tasks can have them, and otherwise the CPU.")
          .or(DeviceChoice.AUTO);

  /** Without a default: it is measured. */
  public static final Option<Integer> BATCH_SIZE =
      Option.of(
          "batch-size",
          OptionType.wholeNumber(1),
          "N",
          MODEL,
          "Number of images that a GPU draws at once, halved where memory is short. By default the"
              + " run measures it: batches of each size and number of steps grow until they draw no"
              + " faster. CPUs draw each image alone.");

  public static final Option<Integer> THREADS_PER_IMAGE =
      Option.of(
              "threads-per-image",
              OptionType.wholeNumber(1),
              "N",
              MODEL,
              "CPU threads that draw one image; as many images are drawn at once as there are cores"
                  + " for. More than 1 suits few large images, but the last bits of an image depend"
                  + " on N: only with 1 are they the same for any number of cores. GPUs ignore it.")
          .or(1);

  public static final Option<Integer> PARTITIONS =
      Option.of(
          "partitions",
          OptionType.wholeNumber(1),
          "N",
          MODEL,
          "Number of tasks that draw. By default the cluster decides.");

  public static final Option<Boolean> OFFLOAD =
      Option.of(
              "offload",
              OptionType.flag(),
              "",
              MODEL,
              "Keep only one of text encoders, transformer and autoencoder on the device at a time:"
                  + " slower, but needs memory for the largest of them only.")
          .or(false);

  public static final Option<Integer> OFFLOAD_CHUNK =
      Option.of(
              "offload-chunk",
              OptionType.wholeNumber(1),
              "IMAGES",
              MODEL,
              "With offload, number of images whose prompts are all encoded, then all denoised,"
                  + " then all decoded, so that they load each network once. Fewer are taken where"
                  + " the heap is too small for their pixels.")
          .or(64);

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

  public static final Option<String> POLICY =
      Option.of(
              "policy",
              OptionType.text(),
              "FILE",
              SAFETY,
              "Prompt policy: a YAML file on any Hadoop file system, default for the policy that"
                  + " ships, or none. Rows whose prompt it blocks are not drawn.")
          .or(PromptPolicy.DEFAULT)
          .besideJobFile();

  public static final Option<String> MASTER =
      Option.of(
          "master",
          OptionType.text(),
          "URL",
          SPARK,
          "Spark master. Default: the one of spark-submit, or local[*].");

  public static final Option<Map<String, String>> CONF =
      Option.of(
          "conf",
          OptionType.map(
              name -> name.startsWith("spark."),
              "entries whose names begin with 'spark.' (Hadoop's with 'spark.hadoop.')"),
          "KEY=VALUE",
          SPARK,
          "Spark setting, such as spark.hadoop.fs.s3a.endpoint=… Repeatable.");

  public static final Option<Integer> SLOTS_PER_GPU =
      Option.of(
          "slots-per-gpu",
          OptionType.wholeNumber(1),
          "N",
          SPARK,
          "Tasks that share a GPU of an executor, so that one encodes prompts, decodes latents and"
              + " stores images while another denoises."
              + " Has an effect on clusters only. Default: 1.");

  private static final Map<String, Option<?>> BY_KEY = byKey();

  private Options() {}

  /** All options in the order of the help text. */
  public static List<Option<?>> all() {
    return List.copyOf(BY_KEY.values());
  }

  /** The option of a key, which may be written with {@code _} and in any case. */
  public static Optional<Option<?>> named(String key) {
    return Optional.ofNullable(BY_KEY.get(normalized(key)));
  }

  /** The key that a misspelt one is most like. */
  public static String closest(String key) {
    return closest(key, BY_KEY.keySet());
  }

  /** The one of these keys, at least one, that a misspelt one is most like. */
  public static String closest(String key, Set<String> keys) {
    LevenshteinDistance distance = LevenshteinDistance.getDefaultInstance();
    String wanted = normalized(key);
    return Collections.min(keys, Comparator.comparingInt(each -> distance.apply(wanted, each)));
  }

  static String normalized(String key) {
    return key.strip().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** By the names of {@code torch.dtype}. */
  private static Map<String, DType> weightTypes() {
    Map<String, DType> types = new LinkedHashMap<>();
    types.put("float32", DType.F32);
    types.put("bfloat16", DType.BF16);
    types.put("float16", DType.F16);
    return types;
  }

  private static Map<String, Option<?>> byKey() {
    Map<String, Option<?>> options = new LinkedHashMap<>();
    Stream.of(
            Stream.<Option<?>>of(INPUT, INPUT_FORMAT, COLUMN, PROMPT_TEMPLATE, LIMIT),
            LakehouseOptions.OF_PROMPTS.stream(),
            Stream.<Option<?>>of(
                OUTPUT_DIRECTORY, FORMAT, QUALITY, PATH_TEMPLATE, SINK, SHARD_SIZE),
            LakehouseOptions.OF_OUTPUT.stream(),
            Stream.<Option<?>>of(
                RUN_ID,
                FORCE,
                RETRY_FAILED,
                DEADLINE,
                WAIT_FOR_LOCK,
                MAX_FAILURES,
                CHECKPOINT,
                VARIANT,
                DTYPE,
                LORA,
                DEVICE,
                BATCH_SIZE,
                THREADS_PER_IMAGE,
                PARTITIONS,
                OFFLOAD,
                OFFLOAD_CHUNK),
            ColumnOptions.all().values().stream(),
            Stream.<Option<?>>of(SEED, TRUNCATE_PROMPTS),
            EfficiencyOptions.ALL.stream(),
            Stream.<Option<?>>of(POLICY),
            CheckOptions.ALL.stream(),
            ProvenanceOptions.ALL.stream(),
            PlanOptions.ALL.stream(),
            ScheduleOptions.ALL.stream(),
            HostedOptions.ALL.stream(),
            Stream.<Option<?>>of(MASTER, CONF, SLOTS_PER_GPU))
        .flatMap(each -> each)
        .forEach(option -> options.put(option.key(), option));
    return Collections.unmodifiableMap(options);
  }
}
