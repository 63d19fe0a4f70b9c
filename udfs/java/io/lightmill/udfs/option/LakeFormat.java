package io.lightmill.udfs.option;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.Locale;

/** Table formats whose libraries users add to the session. */
public enum LakeFormat {
  DELTA(
      "Delta Lake",
      "io.delta.sql.DeltaSparkSessionExtension",
      "io.delta:delta-spark_4.1_2.13:4.3.1",
      "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension and"
          + " spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog"),
  ICEBERG(
      "Iceberg",
      "org.apache.iceberg.spark.SparkCatalog",
      "org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.11.0",
      "spark.sql.catalog.NAME=org.apache.iceberg.spark.SparkCatalog with the type and the warehouse"
          + " of the catalogue NAME");

  private final String title;
  private final String type;
  private final String artifact;
  private final String settings;

  LakeFormat(String title, String type, String artifact, String settings) {
    this.title = title;
    this.type = type;
    this.artifact = artifact;
    this.settings = settings;
  }

  /** The name that SQL and data sources use. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The settings of the session under which tables of this format have names. */
  public String settings() {
    return settings;
  }

  /**
   * Requires the library of the format.
   *
   * @param table that needs it
   * @throws LightmillException with {@code CONFIGURATION_INVALID} and how to add it
   */
  public void require(String table) {
    try {
      Class.forName(type, false, Thread.currentThread().getContextClassLoader());
    } catch (ClassNotFoundException e) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "table '%s' needs %s, which is not on the class path; add it with --packages %s (or its jars with --jars) and set %s"
              .formatted(table, title, artifact, settings),
          e);
    }
  }
}
