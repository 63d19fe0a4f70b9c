package io.lightmill.jobs;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.SparkOptions;
import io.lightmill.udfs.run.SessionSettings;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/** Starts sessions with the settings that a run needs, where the user has not set them. */
final class SparkSessions {

  private static final String PLUGINS = "spark.plugins";
  private static final String PROGRESS_PLUGIN = "io.lightmill.udfs.progress.ProgressPlugin";
  private static final String EXECUTOR_JAVA_OPTIONS = "spark.executor.extraJavaOptions";
  private static final String ENGINE_JAVA_OPTIONS =
      "-Dai.djl.offline=true -Djava.awt.headless=true";

  private static final String SLOTS_PER_GPU = "spark.lightmill.slotsPerGpu";

  private SparkSessions() {}

  /**
   * The settings of spark-submit, overridden by the options.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if this machine lacks what Spark
   *     needs for them
   */
  static SparkConf conf(GenerationOptions options) {
    SparkRequirements.requireNetwork(); // a SparkConf looks up the address of this host
    SparkConf conf = new SparkConf();
    options.entries(SparkOptions.CONF).forEach(conf::set);
    options.find(SparkOptions.MASTER).ifPresent(conf::setMaster);
    options
        .find(SparkOptions.SLOTS_PER_GPU)
        .ifPresent(slots -> conf.set(SLOTS_PER_GPU, slots.toString()));
    conf.setIfMissing("spark.master", "local[*]");
    SparkRequirements.requireDistribution(conf, System.getenv());
    return conf;
  }

  static SparkSession start(SparkConf requested, String name) {
    SparkConf conf = configured(requested.clone()).setAppName(name);
    try {
      // SparkSession.builder() finds this class by reflection, which takes a third of a second.
      return org.apache.spark.sql.classic.SparkSession.builder().config(conf).getOrCreate();
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      throw SparkRequirements.unstarted(conf, e);
    }
  }

  /** Adds settings to those of the user; never overrides these. */
  static SparkConf configured(SparkConf conf) {
    prepend(conf, PLUGINS, PROGRESS_PLUGIN, ",");
    // INFO lines would interrupt the progress bar.
    conf.setIfMissing("spark.ui.showConsoleProgress", "false");
    conf.setIfMissing("spark.log.level", "WARN");
    // Where there is a user interface, Prometheus reads metrics from it.
    conf.setIfMissing(
        "spark.metrics.conf.*.sink.prometheusServlet.class",
        "org.apache.spark.metrics.sink.PrometheusServlet");
    conf.setIfMissing("spark.metrics.conf.*.sink.prometheusServlet.path", "/metrics/prometheus");
    // By default S3A's pauses after a 503 double up to a day, long after the store responds again.
    conf.setIfMissing("spark.hadoop.fs.s3a.retry.throttle.limit", "9");
    if (isLocal(conf)) {
      configureLocal(conf);
    } else {
      configureExecutors(conf);
    }
    return conf;
  }

  /** Whether the driver is the executor. */
  static boolean isLocal(SparkConf conf) {
    return conf.get("spark.master").matches("local(\\[.*])?");
  }

  private static void configureLocal(SparkConf conf) {
    SessionSettings.LOCAL.forEach(conf::setIfMissing);
    // The user interface takes a second to start.
    conf.setIfMissing("spark.ui.enabled", "false");
    // No other host has to be reached, and the name of this one may not resolve.
    conf.setIfMissing("spark.driver.host", "127.0.0.1");
    conf.setIfMissing("spark.driver.bindAddress", "127.0.0.1");
  }

  private static void configureExecutors(SparkConf conf) {
    // User options come last, since the JVM takes the last of two.
    prepend(conf, EXECUTOR_JAVA_OPTIONS, ENGINE_JAVA_OPTIONS, " ");
    SessionSettings.EXECUTORS.forEach(conf::setIfMissing);
  }

  private static void prepend(SparkConf conf, String key, String ours, String separator) {
    String theirs = conf.get(key, "");
    if (!theirs.contains(ours)) {
      conf.set(key, theirs.isEmpty() ? ours : ours + separator + theirs);
    }
  }
}
