package io.lightmill.udfs.run;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Settings under which a run is fast. The command line sets them in its session. In the session of
 * another caller, a run applies those that it can, and names the others in the log.
 */
public final class SessionSettings {

  /** Of SQL in local mode. */
  public static final Map<String, String> LOCAL =
      Map.of(
          // Spark's default of 200 is meant for clusters, and costs a minute on two cores.
          "spark.sql.shuffle.partitions", "8",
          // Planning a query again after each of its shuffles takes longer than those of a small
          // table.
          "spark.sql.adaptive.enabled", "false",
          // Tables are small: compiling their queries takes longer than running them.
          "spark.sql.codegen.wholeStage", "false",
          "spark.sql.codegen.factoryMode", "NO_CODEGEN",
          // Spark reads the call stack for each column expression, to name the line in errors.
          "spark.sql.dataFrameQueryContext.enabled", "false");

  /** Of the executors of a cluster, which cannot be changed once they run. */
  public static final Map<String, String> EXECUTORS =
      Map.of(
          // Spinning OpenMP threads starve the tasks that encode and store images.
          "spark.executorEnv.OMP_WAIT_POLICY", "PASSIVE",
          // Page faults of 4 KiB take longer than reading weights does.
          "spark.executorEnv.THP_MEM_ALLOC_ENABLE", "1");

  private static final Logger LOG = LoggerFactory.getLogger(SessionSettings.class);
  private static final Set<String> CHECKED = ConcurrentHashMap.newKeySet();

  private SessionSettings() {}

  /** Logs once for each application what its executors lack. */
  static void check(SparkContext spark) {
    String missing = missing(spark.getConf());
    if (!spark.isLocal() && !missing.isEmpty() && CHECKED.add(spark.applicationId())) {
      LOG.warn(
          "This session lacks settings of the command line, without which executors draw more"
              + " slowly; set them before Spark starts: {}",
          missing);
    }
  }

  static String missing(SparkConf conf) {
    return new TreeMap<>(EXECUTORS)
        .entrySet().stream()
            .filter(each -> !conf.contains(each.getKey()))
            .map(each -> each.getKey() + "=" + each.getValue())
            .collect(Collectors.joining(" "));
  }
}
