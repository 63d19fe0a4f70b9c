package io.lightmill.udfs.option;

import static io.lightmill.udfs.option.OptionGroup.SPARK;

import java.util.List;
import java.util.Map;

/** The options of the Spark session, which a caller with a session of its own has set already. */
public final class SparkOptions {

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

  /** In the order of the help text. */
  static final List<Option<?>> ALL = List.of(MASTER, CONF, SLOTS_PER_GPU);

  private SparkOptions() {}
}
