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
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.SparkSession;

/**
 * Times what a run does besides drawing, with a pipeline without a network: {@code run} runs a job
 * twice; {@code plan} plans tables, commits a manifest for each as if all its images were
 * generated, and plans each again with 1 % new prompts. Started by {@code scripts/bench/rerun}.
 */
final class RerunBench {

  private static final double NANOS_PER_SECOND = 1e9;
  private static final long MEBIBYTE = 1 << 20;

  /** Rows that are planned before the first measurement, so that it does not measure compilers. */
  private static final int WARM_UP = 20_000;

  private RerunBench() {}

  /** Arguments: {@code run} or {@code plan}, an empty directory, and numbers of rows. */
  public static void main(String... arguments) throws Exception {
    Path directory = Path.of(arguments[1]);
    int[] sizes = Arrays.stream(arguments).skip(2).mapToInt(Integer::parseInt).sorted().toArray();
    SparkSession spark =
        SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", false)
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.log.level", "ERROR")
            .getOrCreate();
    if (arguments[0].equals("plan")) {
      Planned[] planned = new Planned[sizes.length];
      plan(spark, directory.resolve("warm-up"), WARM_UP);
      for (int i = 0; i < sizes.length; i++) {
        planned[i] = plan(spark, directory.resolve("rows-" + sizes[i]), sizes[i]);
        if (i > 0) {
          System.out.printf(
              "from %,d to %,d rows: a first plan takes %.1f times as much processor time, a"
                  + " rerun %.1f times%n",
              sizes[i - 1],
              sizes[i],
              planned[i].first / planned[i - 1].first,
              planned[i].again / planned[i - 1].again);
        }
      }
    } else {
      Path table = table(directory.resolve("prompts.csv"), sizes[0], sizes[0]);
      TestJob job = new TestJob(table, directory.resolve("out")).batchSize(64);
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

  /**
   * Processor time of planning a table.
   *
   * @param first the first time, in seconds
   * @param again with 1 % new prompts, in seconds
   */
  private record Planned(double first, double again) {}

  private static Planned plan(SparkSession spark, Path directory, int rows) throws Exception {
    Files.createDirectories(directory);
    Path table = table(directory.resolve("prompts.csv"), rows, rows);
    TestJob job = new TestJob(table, directory.resolve("out")).batchSize(64);
    String label = "%,d rows".formatted(rows);
    double first = plan(spark, label, rows, job, true);
    Path newer = table(directory.resolve("newer.csv"), rows, rows - rows / 100);
    double again = plan(spark, label + ", 1 % new", rows, job.table(newer).runId("second"), false);
    System.out.printf(
        "%,d rows: the rerun takes %.2f of the processor time of the first plan%n",
        rows, again / first);
    return new Planned(first, again);
  }

  private static double plan(SparkSession spark, String what, int rows, TestJob job, boolean state)
      throws Exception {
    SolidColorPipeline pipeline = new SolidColorPipeline();
    System.gc(); // so that the peak is not the garbage of the plan before
    ManagementFactory.getMemoryPoolMXBeans().forEach(MemoryPoolMXBean::resetPeakUsage);
    Cluster cluster = Cluster.of(spark.sparkContext(), DeviceChoice.CPU);
    TaskRows tasks = new TaskRows();
    spark.sparkContext().addSparkListener(tasks);
    PlanningRun.Times times =
        PlanningRun.of(spark, job.options(), cluster, pipeline::checkpoint, state);
    spark.sparkContext().removeSparkListener(tasks);
    System.out.printf(
        "%-24s plan %s, partition %s, manifest by one task %s; heap at most %d MiB;"
            + " %d rows planned, %d images to draw; largest generating task %d rows, mean %.0f;"
            + " largest task of a shuffle %.2f times the mean%n",
        what,
        times.plan(),
        times.partition(),
        times.commit(),
        peak(),
        pipeline.planned.get(),
        times.drawn(),
        times.largest(),
        times.mean(),
        tasks.largest(rows / 2));
    return times.plan().cpu();
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

  /** The rows that each task reads of shuffles, by stage. */
  private static final class TaskRows extends SparkListener {

    private final Map<Integer, long[]> stages = new ConcurrentHashMap<>();

    @Override
    public void onTaskEnd(SparkListenerTaskEnd task) {
      long read = task.taskMetrics().shuffleReadMetrics().recordsRead();
      if (read > 0) {
        stages.merge(
            task.stageId(),
            new long[] {1, read, read},
            (a, b) -> new long[] {a[0] + 1, a[1] + b[1], Math.max(a[2], b[2])});
      }
    }

    /** The largest task over the mean of its stage, of the stages that read so many rows. */
    double largest(long rows) {
      return stages.values().stream()
          .filter(stage -> stage[1] >= rows && stage[0] > 1)
          .mapToDouble(stage -> stage[2] * (double) stage[0] / stage[1])
          .max()
          .orElse(1);
    }
  }
}
