package io.lightmill.udfs;

import io.lightmill.udfs.progress.ProgressPlugin;
import org.apache.spark.sql.SparkSession;

/** The one session of all tests in this JVM. */
public final class TestSpark {

  private static SparkSession session = started();

  private TestSpark() {}

  /** Started anew after a command has run through its own end, where it stops Spark. */
  public static synchronized SparkSession session() {
    if (session.sparkContext().isStopped()) {
      session = started();
    }
    return session;
  }

  private static SparkSession started() {
    SparkSession started =
        SparkSession.builder()
            .master("local[2]")
            .appName("lightmill tests")
            .config("spark.ui.enabled", false)
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", 2)
            .config("spark.sql.adaptive.enabled", false)
            .config("spark.sql.codegen.wholeStage", false)
            .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
            .config("spark.sql.ui.explainMode", "simple") // made for each query, read by none
            .config("spark.sql.warehouse.dir", "target/spark-warehouse")
            .config("spark.plugins", ProgressPlugin.class.getName())
            .getOrCreate();
    started.sparkContext().setLogLevel("ERROR");
    return started;
  }
}
