package io.lightmill.udfs;

import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.run.RunResult;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.apache.spark.sql.SparkSession;

/**
 * A driver in a process that a test kills. It reads jobs from standard input, one per line, runs
 * them and writes a line for each.
 */
final class ChaosDriver {

  static final String ANSWER = "answer ";

  private ChaosDriver() {}

  /**
   * One run.
   *
   * @param loader loads the pipeline, and knows where it records and when it fails
   */
  record Job(String runId, String table, String output, RecordingLoader loader) {

    String line() {
      return String.join(
          "\t", runId, table, output, loader.directory(), loader.throwing(), loader.slow());
    }

    static Job of(String line) {
      String[] parts = line.split("\t", -1);
      return new Job(
          parts[0],
          parts[1],
          parts[2],
          new RecordingLoader(parts[3], parts[4], parts[5], 0, false));
    }
  }

  /** Arguments: settings of Spark as {@code key=value}. */
  public static void main(String... arguments) throws IOException {
    SparkSession.Builder builder = SparkSession.builder();
    TestSpark.settings().forEach(builder::config);
    for (String setting : arguments) {
      builder.config(
          setting.substring(0, setting.indexOf('=')), setting.substring(setting.indexOf('=') + 1));
    }
    SparkSession spark = builder.getOrCreate();
    spark.sparkContext().setLogLevel("OFF");
    BufferedReader jobs =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    System.out.println(ANSWER + "ready");
    for (String line = jobs.readLine(); line != null; line = jobs.readLine()) {
      System.out.println(ANSWER + run(spark, Job.of(line)));
    }
    spark.stop();
  }

  /** The statuses of the run's rows and how many there are of each, or why it failed. */
  static String run(SparkSession spark, Job job) {
    try {
      RunResult result =
          new TestJob(Path.of("unused"), Path.of("unused"))
              .table(job.table())
              .output(job.output())
              .runId(job.runId())
              .partitions(4)
              .batchSize(ChaosRun.BATCH)
              .run(
                  spark,
                  Cluster.of(spark.sparkContext(), DeviceChoice.CPU),
                  job.loader()::checkpoint);
      return result.summary().labelled().toString();
    } catch (RuntimeException e) {
      return "failed: " + e.toString().lines().findFirst().orElse("");
    }
  }
}
