package io.lightmill.udfs;

import io.lightmill.udfs.device.Cluster;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.SparkSession;

/**
 * A run with a {@link RecordingLoader} on a cluster, for {@code spark-submit}; writes down its
 * stages.
 */
public final class StandaloneJob {

  /** A file beside the notes: for each stage in turn whether its tasks requested a GPU. */
  static final String STAGES = "stages";

  private StandaloneJob() {}

  /**
   * Arguments: the table, the output, the notes' directory, and how many tasks draw at a time, at
   * which the gate is opened, and how many batches a device draws before it fails for good.
   */
  public static void main(String... arguments) throws Exception {
    Path notes = Path.of(arguments[2]);
    int slots = Integer.parseInt(arguments[3]);
    RecordingLoader loader =
        RecordingLoader.plain(notes).breakingAfter(Integer.parseInt(arguments[4])).behindGate();
    SparkSession spark = SparkSession.builder().getOrCreate();
    Stages stages = new Stages(spark, loader, slots);
    spark.sparkContext().addSparkListener(stages);
    new TestJob(Path.of(arguments[0]), Path.of(arguments[1]))
        .partitions(2 * slots)
        .run(spark, Cluster.of(spark.sparkContext(), DeviceChoice.AUTO), loader::checkpoint);
    spark.stop(); // the listener has heard everything then
    Files.write(notes.resolve(STAGES), stages.requested, StandardOpenOption.CREATE_NEW);
  }

  /** Opens the gate when as many tasks with GPUs run as should at a time. */
  private static final class Stages extends SparkListener {

    private final SparkSession spark;
    private final RecordingLoader loader;
    private final int expected;
    private final List<String> requested = new ArrayList<>();
    private final Set<Integer> drawing = new HashSet<>();
    private int started;

    Stages(SparkSession spark, RecordingLoader loader, int expected) {
      this.spark = spark;
      this.loader = loader;
      this.expected = expected;
    }

    @Override
    public void onStageSubmitted(SparkListenerStageSubmitted submitted) {
      int profile = submitted.stageInfo().resourceProfileId();
      boolean gpus =
          spark
              .sparkContext()
              .resourceProfileManager()
              .resourceProfileFromId(profile)
              .taskResources()
              .contains("gpu");
      requested.add(gpus ? "gpu" : "none");
      if (gpus) {
        drawing.add(submitted.stageInfo().stageId());
      }
    }

    @Override
    public void onTaskStart(SparkListenerTaskStart start) {
      if (drawing.contains(start.stageId())) {
        started++; // and none ends before the gate is open
        if (started == expected) {
          loader.openGate();
        }
      }
    }
  }
}
