package io.lightmill.udfs.run;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.option.OptionRegistry;
import io.lightmill.udfs.option.Options;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A run that is described step by step, then executed. Immutable: every step returns another
 * description, so a common part can be kept and used for several runs.
 *
 * <pre>{@code
 * RunResult run =
 *     Generation.on(spark)
 *         .prompts(prompts)
 *         .checkpoint("s3a://models/FLUX.1-dev")
 *         .output("s3a://bucket/campaign")
 *         .option("num-inference-steps", 28)
 *         .execute();
 * run.manifest().groupBy("status").count().show();
 * }</pre>
 *
 * <p>Options have the keys of a job file, that is, the long names of {@code lightmill generate
 * --help} without those of the Spark session. A later value of an option replaces an earlier one.
 */
public final class Generation {

  private final SparkSession spark;
  private final Optional<Dataset<Row>> prompts;
  private final Map<String, String> options;
  private final RunListener listener;

  private Generation(
      SparkSession spark,
      Optional<Dataset<Row>> prompts,
      Map<String, String> options,
      RunListener listener) {
    this.spark = spark;
    this.prompts = prompts;
    this.options = options;
    this.listener = listener;
  }

  /** A run in this session, with no prompts, no output and no options yet. */
  public static Generation on(SparkSession spark) {
    return new Generation(spark, Optional.empty(), Map.of(), new RunListener() {});
  }

  /**
   * The rows of a DataFrame as prompt table. They are computed once in a run, so rows that differ
   * from one computation to the next, such as those of {@code rand()}, are drawn as planned.
   */
  public Generation prompts(Dataset<Row> rows) {
    return new Generation(spark, Optional.of(rows), without(Options.INPUT.key()), listener);
  }

  /**
   * The prompt table at a location: a file, directory or glob of any Hadoop file system, or the
   * name of a Spark table.
   */
  public Generation prompts(String location) {
    return new Generation(spark, Optional.empty(), with(Options.INPUT.key(), location), listener);
  }

  /** {@code builtin:pocket}, a directory in diffusers' layout, or its URI. */
  public Generation checkpoint(String location) {
    return option(ModelOptions.CHECKPOINT.key(), location);
  }

  /** The directory of images, manifest and run record, on any Hadoop file system. */
  public Generation output(String directory) {
    return option(Options.OUTPUT_DIRECTORY.key(), directory);
  }

  /**
   * Sets one option.
   *
   * @param key such as {@code num-inference-steps}, with hyphens or underscores; {@code
   *     column.prompt} for an entry of an option that is a map
   * @param value a text, number or boolean
   */
  public Generation option(String key, Object value) {
    return new Generation(spark, prompts, with(key, value.toString()), listener);
  }

  /** Sets several options, as {@link #option} sets one. */
  public Generation options(Map<String, ?> values) {
    Generation described = this;
    for (Map.Entry<String, ?> each : values.entrySet()) {
      described = described.option(each.getKey(), each.getValue());
    }
    return described;
  }

  /** Reports the progress of the run to a listener, from threads of the run. */
  public Generation listener(RunListener progress) {
    return new Generation(spark, prompts, options, progress);
  }

  /**
   * Draws and stores the images and commits the manifest. Rows that cannot be drawn are reported in
   * the manifest and throw no exception.
   *
   * @throws LightmillException for errors that the caller can fix, before anything is drawn: with
   *     {@code CONFIGURATION_INVALID} if prompts, output or another option is missing or wrong
   */
  public RunResult execute() {
    GenerationOptions parsed = GenerationOptions.parse(options);
    if (prompts.isEmpty() && !parsed.has(Options.INPUT)) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the run has no prompts; call prompts with a DataFrame or a location");
    }
    return GenerationRun.execute(spark, prompts, parsed, listener);
  }

  private Map<String, String> with(String key, String value) {
    Map<String, String> changed = without(key);
    changed.put(canonical(key), value);
    return changed;
  }

  private Map<String, String> without(String key) {
    Map<String, String> changed = new LinkedHashMap<>(options);
    changed.remove(canonical(key));
    return changed;
  }

  /** One spelling of a key, so that its last value replaces earlier ones. */
  private static String canonical(String key) {
    return OptionRegistry.named(key).map(Option::key).orElse(key);
  }
}
