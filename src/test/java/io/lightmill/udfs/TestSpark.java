package io.lightmill.udfs;

import org.apache.spark.sql.SparkSession;

/** The one session of all tests in this JVM. */
public final class TestSpark {

  private static final SparkSession SESSION = started();

  private TestSpark() {}

  public static SparkSession session() {
    return SESSION;
  }

  private static SparkSession started() {
    SparkSession session =
        SparkSession.builder()
            .master("local[2]")
            .appName("lightmill tests")
            .config("spark.ui.enabled", false)
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", 4)
            .config("spark.sql.warehouse.dir", "target/spark-warehouse")
            .config("spark.plugins", ProgressPlugin.class.getName())
            .getOrCreate();
    session.sparkContext().setLogLevel("ERROR");
    return session;
  }
}
