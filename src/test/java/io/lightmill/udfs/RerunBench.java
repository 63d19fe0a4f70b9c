package io.lightmill.udfs;

import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.run.RunResult;
import java.io.BufferedWriter;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.apache.spark.sql.SparkSession;

/**
 * Times what a run does besides drawing, with a pipeline without a network: {@code rerun} runs a
 * job twice, {@code plan} plans one and draws nothing. Started by {@code scripts/bench/rerun}.
 */
final class RerunBench {

  private static final double NANOS_PER_SECOND = 1e9;
  private static final long MEBIBYTE = 1 << 20;

  private RerunBench() {}

  /** Arguments: {@code rerun} or {@code plan}, rows, and an empty directory. */
  public static void main(String... arguments) throws IOException {
    int rows = Integer.parseInt(arguments[1]);
    Path directory = Path.of(arguments[2]);
    Path table = directory.resolve("prompts.csv");
    try (BufferedWriter out = Files.newBufferedWriter(table)) {
      out.write("id,prompt\n");
      for (int i = 0; i < rows; i++) {
        out.write(i + ",a mug of kind " + i + "\n");
      }
    }
    SparkSession spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.log.level", "ERROR")
            .config("spark.sql.shuffle.partitions", 8)
            .getOrCreate();
    TestJob job = new TestJob(table, directory.resolve("out")).batchSize(64);
    if (arguments[0].equals("plan")) {
      run(spark, "planned, nothing drawn", job.deadline(Instant.EPOCH));
    } else {
      run(spark, "drawn", job);
      run(spark, "run again", job.runId("second"));
    }
    spark.stop();
  }

  private static void run(SparkSession spark, String what, TestJob job) {
    SolidColorPipeline pipeline = new SolidColorPipeline();
    long start = System.nanoTime();
    RunResult result =
        job.run(spark, Cluster.of(spark.sparkContext(), DeviceChoice.CPU), pipeline::checkpoint);
    long peak =
        ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP)
            .map(MemoryPoolMXBean::getPeakUsage)
            .mapToLong(usage -> usage.getUsed() / MEBIBYTE)
            .sum();
    System.out.printf(
        "%-24s %7.1f s, heap at most %d MiB, %d batches drawn: %s%n",
        what,
        (System.nanoTime() - start) / NANOS_PER_SECOND,
        peak,
        pipeline.batches.size(),
        result.summary().labelled());
  }
}
