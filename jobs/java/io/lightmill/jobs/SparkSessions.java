package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import org.apache.commons.lang3.Strings;
import org.apache.spark.SparkConf;
import org.apache.spark.sql.SparkSession;

/** Starts sessions with what the job needs, wherever the user has not chosen otherwise. */
final class SparkSessions {

  private static final String PLUGINS = "spark.plugins";
  private static final String PROGRESS_PLUGIN = "io.lightmill.udfs.progress.ProgressPlugin";
  private static final String EXECUTOR_JAVA_OPTIONS = "spark.executor.extraJavaOptions";
  private static final String ENGINE_JAVA_OPTIONS =
      "-Dai.djl.offline=true -Djava.awt.headless=true";

  private SparkSessions() {}

  static SparkSession start(SparkConf asked, String name) {
    SparkConf conf = configured(asked.clone()).setAppName(name);
    try {
      return SparkSession.builder().config(conf).getOrCreate();
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "Spark cannot be started with master '%s': %s. Fix --master or --conf."
              .formatted(conf.get("spark.master"), Strings.CS.removeEnd(e.getMessage(), ".")),
          e);
    }
  }

  /** Completes what the user asked for; never overrides it. */
  static SparkConf configured(SparkConf conf) {
    prepend(conf, PLUGINS, PROGRESS_PLUGIN, ",");
    // Our own progress is shown, and INFO lines would run through it.
    conf.setIfMissing("spark.ui.showConsoleProgress", "false");
    conf.setIfMissing("spark.log.level", "WARN");
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
    // The user interface costs a second at the start; a few tasks are enough for a planning stage.
    conf.setIfMissing("spark.ui.enabled", "false");
    conf.setIfMissing("spark.sql.shuffle.partitions", "8");
    // What a session computes in tables is small: compiling it takes longer than running it.
    conf.setIfMissing("spark.sql.codegen.wholeStage", "false");
    conf.setIfMissing("spark.sql.codegen.factoryMode", "NO_CODEGEN");
    // Nobody else is to be reached, and the host's own name may not resolve.
    conf.setIfMissing("spark.driver.host", "127.0.0.1");
    conf.setIfMissing("spark.driver.bindAddress", "127.0.0.1");
  }

  private static void configureExecutors(SparkConf conf) {
    // User options come last: the JVM takes the last of two.
    prepend(conf, EXECUTOR_JAVA_OPTIONS, ENGINE_JAVA_OPTIONS, " ");
    // Spinning OpenMP threads starve the tasks that encode and store images.
    conf.setIfMissing("spark.executorEnv.OMP_WAIT_POLICY", "PASSIVE");
    // Page faults of 4 KiB take longer than reading weights does.
    conf.setIfMissing("spark.executorEnv.THP_MEM_ALLOC_ENABLE", "1");
  }

  private static void prepend(SparkConf conf, String key, String ours, String separator) {
    String theirs = conf.get(key, "");
    if (!theirs.contains(ours)) {
      conf.set(key, theirs.isEmpty() ? ours : ours + separator + theirs);
    }
  }
}
