package io.lightmill.udfs.manifest;

import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.fs.FileSystem;
import org.apache.spark.SparkContext;

/**
 * How Spark commits files to a store. On S3 it is Hadoop's magic committer: tasks upload their
 * files without completing the uploads, and the driver completes those of the successful attempts.
 */
public final class StoreCommitter {

  private static final String COMMITTER_NAME = "fs.s3a.committer.name";

  private static final Map<String, String> S3A =
      Map.of(
          "spark.sql.parquet.output.committer.class",
          "org.apache.spark.internal.io.cloud.BindingParquetOutputCommitter",
          "mapreduce.outputcommitter.factory.scheme.s3a",
          "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory",
          "fs.s3a.committer.magic.enabled",
          "true");

  private StoreCommitter() {}

  /**
   * Options for a writer of Parquet. They hold for its one job: the session keeps its settings, so
   * that runs at the same time do not change each other's.
   */
  public static Map<String, String> options(SparkContext spark, FileSystem fileSystem) {
    if (!isS3(fileSystem)) {
      return Map.of();
    }
    Map<String, String> options = new HashMap<>(S3A);
    options.put(COMMITTER_NAME, spark.getConf().get("spark.hadoop." + COMMITTER_NAME, "magic"));
    return options;
  }

  static boolean isS3(FileSystem fileSystem) {
    return fileSystem.getUri().getScheme().equals("s3a");
  }
}
