package io.lightmill.jobs;

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

  /** What spark-submit set, overridden by what the command line sets. */
  SparkConf conf() {
    SparkConf conf = new SparkConf();
    settings.forEach(conf::set);
    master.ifPresent(conf::setMaster);
    conf.setIfMissing("spark.master", "local[*]");
    return conf;
  }
}
