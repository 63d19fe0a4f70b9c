package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.SparkConf;
import picocli.CommandLine.Option;

/** Options that Spark takes. */
final class SparkOptions {

  @Option(
      names = "--master",
      paramLabel = "URL",
      description = "Spark master; spark-submit's, or else local[*], unless given.")
  private Optional<String> master;

  @Option(
      names = "--conf",
      paramLabel = "KEY=VALUE",
      description = "Spark setting, such as spark.hadoop.fs.s3a.endpoint=… Repeatable.")
  private final Map<String, String> settings = new LinkedHashMap<>();

  @Option(
      names = "--slots-per-gpu",
      paramLabel = "N",
      description =
          "Tasks that share each GPU of an executor, so that one stores while another draws; 1"
              + " unless given. On clusters, where only executors are given GPUs.")
  private Optional<Integer> slotsPerGpu;

  /** What spark-submit set, overridden by what the command line sets. */
  SparkConf conf() {
    SparkConf conf = new SparkConf();
    settings.forEach((key, value) -> conf.set(checked(key), value));
    master.ifPresent(conf::setMaster);
    slotsPerGpu.ifPresent(
        slots ->
            conf.set(
                "spark.lightmill.slotsPerGpu",
                "" + OptionBounds.atLeast(1, "--slots-per-gpu", slots)));
    conf.setIfMissing("spark.master", "local[*]");
    return conf;
  }

  /** Spark would ignore it without a word. */
  private static String checked(String key) {
    if (!key.startsWith("spark.")) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "--conf names '%s', but Spark's settings begin with 'spark.'; Hadoop's are given as"
                  .formatted(key)
              + " 'spark.hadoop.' and their name.");
    }
    return key;
  }
}
