package io.lightmill.udfs;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.udfs.device.Cluster;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.spark.sql.SparkSession;

/**
 * A driver of its own process, to be killed. It runs the jobs that it is told on standard input,
 * one a line, and answers each with a line. Every image that it paints is a line in a file.
 */
final class ChaosDriver {

  static final String ANSWER = "answer ";

  private final SparkSession spark;
  private final Path painted;

  private ChaosDriver(SparkSession spark, Path painted) {
    this.spark = spark;
    this.painted = painted;
  }

  /**
   * One run.
   *
   * @param hours that its clock is ahead, so that the locks of killed runs have expired
   * @param throwAt the batch at which its task dies; 0 for none
   */
  record Job(String runId, String table, String output, int hours, int throwAt) {

    String line() {
      return String.join(" ", runId, table, output, "" + hours, "" + throwAt);
    }

    static Job of(String line) {
      String[] parts = line.split(" ", -1);
      return new Job(
          parts[0], parts[1], parts[2], Integer.parseInt(parts[3]), Integer.parseInt(parts[4]));
    }
  }

  /** Arguments: the file of painted images, and settings of Spark as {@code key=value}. */
  public static void main(String... arguments) throws IOException {
    SparkSession.Builder builder =
        SparkSession.builder()
            .master("local[2,4]")
            .config("spark.ui.enabled", false)
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.shuffle.partitions", 2)
            .config("spark.sql.codegen.wholeStage", false)
            .config("spark.sql.codegen.factoryMode", "NO_CODEGEN");
    for (String setting : arguments[1].split(",", -1)) {
      builder.config(
          setting.substring(0, setting.indexOf('=')), setting.substring(setting.indexOf('=') + 1));
    }
    SparkSession spark = builder.getOrCreate();
    spark.sparkContext().setLogLevel("OFF");
    ChaosDriver driver = new ChaosDriver(spark, Path.of(arguments[0]));
    BufferedReader jobs =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    System.out.println(ANSWER + "ready");
    for (String line = jobs.readLine(); line != null; line = jobs.readLine()) {
      System.out.println(ANSWER + driver.run(Job.of(line)));
    }
  }

  private String run(Job job) {
    AtomicInteger batches = new AtomicInteger();
    PaintStudio studio =
        new PaintStudio()
            .failing(
                batch -> {
                  note(batch);
                  if (batches.incrementAndGet() == job.throwAt()) {
                    throw new AssertionError("injected");
                  }
                });
    try {
      ImageGeneration.Result result =
          ImageGeneration.run(
              spark,
              new TestJob(Path.of("unused"), Path.of("unused"))
                  .table(job.table())
                  .output(job.output())
                  .runId(job.runId())
                  .partitions(4)
                  .settings(),
              TestJob.SILENT,
              Cluster.of(spark.sparkContext(), DeviceChoice.CPU),
              studio::checkpoint,
              Clock.offset(Clock.systemUTC(), Duration.ofHours(job.hours())),
              System.nanoTime());
      return result.statuses().toString();
    } catch (RuntimeException e) {
      return "failed: " + e.toString().lines().findFirst().orElse("");
    }
  }

  private synchronized void note(List<ImageRequest> batch) {
    try {
      Files.write(
          painted,
          batch.stream().map(ImageRequest::prompt).toList(),
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
