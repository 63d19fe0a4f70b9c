package io.lightmill.udfs;

import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.run.PlanningRun;
import io.lightmill.udfs.run.RunResult;
import java.io.BufferedWriter;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.spark.sql.SparkSession;

/**
 * Times what a run does besides drawing, with a pipeline without a network: {@code rerun} runs a
 * job twice; {@code plan} plans a table, commits a manifest as if all its images were generated,
 * and plans the table again with 1 % new prompts. Started by {@code scripts/bench/rerun}.
 */
final class RerunBench {

  private static final double NANOS_PER_SECOND = 1e9;
  private static final long MEBIBYTE = 1 << 20;

  private RerunBench() {}

  /** Arguments: {@code rerun} or {@code plan}, rows, and an empty directory. */
  public static void main(String... arguments) throws Exception {
    int rows = Integer.parseInt(arguments[1]);
    Path directory = Path.of(arguments[2]);
    Path table = table(directory.resolve("prompts.csv"), rows, rows);
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
      plan(spark, "planned", job, true);
      Path newer = table(directory.resolve("newer.csv"), rows, rows - rows / 100);
      plan(spark, "planned again, 1 % new", job.table(newer).runId("second"), false);
    } else {
      run(spark, "drawn", job);
      run(spark, "run again", job.runId("second"));
    }
    spark.stop();
  }

  /**
   * @param same rows whose prompts are the same in each table
   */
  private static Path table(Path table, int rows, int same) throws IOException {
    try (BufferedWriter out = Files.newBufferedWriter(table)) {
      out.write("id,prompt\n");
      for (int i = 0; i < rows; i++) {
        out.write(i + (i < same ? ",a mug of kind " : ",a cup of kind ") + i + "\n");
      }
    }
    return table;
  }

  private static void plan(SparkSession spark, String what, TestJob job, boolean state)
      throws Exception {
    SolidColorPipeline pipeline = new SolidColorPipeline();
    ManagementFactory.getMemoryPoolMXBeans().forEach(MemoryPoolMXBean::resetPeakUsage);
    Cluster cluster = Cluster.of(spark.sparkContext(), DeviceChoice.CPU);
    PlanningRun.Times times =
        PlanningRun.of(spark, job.options(), cluster, pipeline::checkpoint, state);
    System.out.printf(
        "%-24s plan %s, partition %s, manifest by one task %s; heap at most %d MiB;"
            + " %d images to draw; largest task %d rows, mean %.0f%n",
        what,
        times.plan(),
        times.partition(),
        times.commit(),
        peak(),
        times.drawn(),
        times.largest(),
        times.mean());
  }

  private static void run(SparkSession spark, String what, TestJob job) {
    SolidColorPipeline pipeline = new SolidColorPipeline();
    long start = System.nanoTime();
    RunResult result =
        job.run(spark, Cluster.of(spark.sparkContext(), DeviceChoice.CPU), pipeline::checkpoint);
    System.out.printf(
        "%-24s %7.1f s, heap at most %d MiB, %d batches drawn: %s%n",
        what,
        (System.nanoTime() - start) / NANOS_PER_SECOND,
        peak(),
        pipeline.batches.size(),
        result.summary().labelled());
  }

  private static long peak() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getType() == MemoryType.HEAP)
        .map(MemoryPoolMXBean::getPeakUsage)
        .mapToLong(usage -> usage.getUsed() / MEBIBYTE)
        .sum();
  }
}
