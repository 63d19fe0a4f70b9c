package io.lightmill.udfs.run;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.current_timestamp;
import static org.apache.spark.sql.functions.hash;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.spark_partition_id;
import static org.apache.spark.sql.functions.substring;

import com.sun.management.OperatingSystemMXBean;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.ManifestWriteSupport;
import io.lightmill.udfs.manifest.UncommittedFile;
import io.lightmill.udfs.manifest.UncommittedRows;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.store.ImageStore;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** The steps of a run before drawing, timed; nothing is drawn. */
public final class PlanningRun {

  private static final double NANOS_PER_SECOND = 1e9;
  private static final int SHARDS = 1000;
  private static final byte[] SHARD = new byte[10];

  private PlanningRun() {}

  /**
   * What planning took.
   *
   * @param plan until the images to draw are known
   * @param partition until the generating tasks have their rows
   * @param drawn images to draw
   * @param largest rows of the largest generating task
   * @param mean rows of a generating task
   * @param commit until one task has written all rows as a manifest
   */
  public record Times(
      Clocks plan, Clocks partition, long drawn, long largest, double mean, Clocks commit) {}

  /**
   * Durations of one step, in seconds.
   *
   * @param wall by the clock
   * @param cpu of all threads of this process
   */
  public record Clocks(double wall, double cpu) {

    /** Both steps. */
    public Clocks plus(Clocks more) {
      return new Clocks(wall + more.wall, cpu + more.cpu);
    }

    private static Clocks now() {
      OperatingSystemMXBean system =
          (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
      return new Clocks(
          System.nanoTime() / NANOS_PER_SECOND, system.getProcessCpuTime() / NANOS_PER_SECOND);
    }

    private Clocks since(Clocks before) {
      return new Clocks(wall - before.wall, cpu - before.cpu);
    }

    @Override
    public String toString() {
      return "%.1f s (%.1f s of CPU)".formatted(wall, cpu);
    }
  }

  /**
   * Plans a run.
   *
   * @param state whether to commit a manifest in which all images are generated, in shards that
   *     exist
   */
  public static Times of(
      SparkSession caller,
      GenerationOptions options,
      Cluster cluster,
      Supplier<JobCheckpoint> checkpoint,
      boolean state)
      throws Exception {
    Clock clock = Clock.systemUTC();
    RunHooks hooks = new RunHooks(clock.instant(), clock, cluster, checkpoint);
    SparkSession spark = PlanningSession.of(caller, Optional.empty()).spark();
    Clocks start = Clocks.now();
    try (Resources open = new Resources()) {
      RunEnding ending =
          open.add(RunEnding.of("plan", spark.sparkContext(), Optional.empty(), clock));
      PreparedRun run =
          PreparedRun.of(spark, Optional.empty(), options, RunListener.NONE, hooks, ending, open);
      PlannedRun plan = PlannedRun.of(run, open);
      Clocks planned = Clocks.now();
      List<Row> sizes =
          plan.images()
              .drawnApart(plan.batches())
              .groupBy(spark_partition_id().as("task"))
              .count()
              .collectAsList();
      Clocks partitioned = Clocks.now();
      if (state) {
        commit(run, plan.images().images());
      }
      Clocks committed = Clocks.now();
      ending.leave();
      return new Times(
          planned.since(start),
          partitioned.since(planned),
          plan.images().toDraw(),
          sizes.stream().mapToLong(row -> row.getLong(1)).max().orElse(0),
          sizes.stream().mapToLong(row -> row.getLong(1)).average().orElse(0),
          committed.since(partitioned));
    }
  }

  private static void commit(PreparedRun run, Dataset<Row> images) throws IOException {
    ImageStore store =
        ImageStore.open(run.output(), run.spark().sparkContext().hadoopConfiguration());
    String runId = run.runId();
    for (int i = 0; i < SHARDS; i++) {
      store.put("shards/run_id=%s/part-%d.tar".formatted(runId, i), SHARD, "application/x-tar");
    }
    Column shard = pmod(hash(col("image_id")), lit(SHARDS));
    Set<String> planned = Set.copyOf(Arrays.asList(images.columns()));
    List<Column> columns = new ArrayList<>();
    for (ManifestColumn column : ManifestColumns.ALL) {
      Column value =
          switch (column.name()) {
            case "status" -> lit("generated");
            case "path" -> concat(lit("shards/run_id=" + runId + "/part-"), shard, lit(".tar"));
            case "member" -> substring(col("key"), "images/".length() + 1, 200);
            case "shard_bytes" -> lit((long) SHARD.length);
            case "bytes" -> lit(1500L);
            case "sha256" -> sha2(col("image_id").cast("binary"), 256);
            case "run_id" -> lit(runId);
            case "created_at" -> current_timestamp();
            default -> planned.contains(column.name()) ? col(column.name()) : lit(null);
          };
      columns.add(value.cast(column.type()).as(column.name()));
    }
    Dataset<Row> rows =
        images
            .select(columns.toArray(Column[]::new))
            .coalesce(1)
            .sortWithinPartitions("id", "variant");
    try (UncommittedFile file =
        new UncommittedRows(run.spark(), run.output(), runId)
            .file("manifest", rows, Map.of(ManifestWriteSupport.PLAN, PlanFingerprint.of(run)))) {
      store.create(Manifest.key(runId), file.body(), Manifest.CONTENT_TYPE);
    }
  }
}
