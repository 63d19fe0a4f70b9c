package io.lightmill.udfs;

import io.lightmill.udfs.progress.ProgressPlugin;
import io.lightmill.udfs.run.SessionSettings;
import java.util.HashMap;
import java.util.Map;
import org.apache.spark.sql.SparkSession;

/** The one session of all tests in this JVM. */
public final class TestSpark {

  private static SparkSession session;

  private TestSpark() {}

  /** Started on first use, and anew after a command has run to its end, where it stops Spark. */
  public static synchronized SparkSession session() {
    if (session == null || session.sparkContext().isStopped()) {
      session = started();
    }
    return session;
  }

  /** What makes a session fast on one machine, for small tables. */
  static Map<String, String> settings() {
    Map<String, String> settings = new HashMap<>(SessionSettings.LOCAL);
    settings.put("spark.sql.shuffle.partitions", "2");
    settings.put("spark.sql.ui.explainMode", "simple"); // made for each query, read by none
    settings.put("spark.ui.enabled", "false");
    settings.put("spark.driver.host", "127.0.0.1");
    settings.put("spark.driver.bindAddress", "127.0.0.1");
    return settings;
  }

  private static SparkSession started() {
    SparkSession.Builder builder = SparkSession.builder().master("local[2]");
    settings().forEach(builder::config);
    SparkSession started =
        builder
            .appName("lightmill tests")
            .config("spark.sql.warehouse.dir", "target/spark-warehouse")
            .config("spark.plugins", ProgressPlugin.class.getName())
            .getOrCreate();
    started.sparkContext().setLogLevel("ERROR");
    started.sparkContext().setCallSite("tests"); // or Spark reads the call stack for each query
    return started;
  }
}
