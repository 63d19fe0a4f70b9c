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
 * Runs with a {@link RecordingLoader} on a cluster, one after the other in one application, for
 * {@code spark-submit}; writes down the stages of each.
 */
public final class StandaloneJob {

  /** A file beside the notes: for each stage in turn whether its tasks requested a GPU. */
  static final String STAGES = "stages";

  static final String SLOTS_PER_GPU = "spark.lightmill.slotsPerGpu";

  private StandaloneJob() {}

  /**
   * One run, as an argument of the application.
   *
   * @param name directory of its notes
   * @param slotsPerGpu tasks that share a GPU
   * @param slots tasks that draw at a time, at which the gate is opened
   * @param breaking batches that a device draws before it fails for good; 0 for none
   */
  record Run(String name, int slotsPerGpu, int slots, int breaking) {

    String argument() {
      return "%s,%d,%d,%d".formatted(name, slotsPerGpu, slots, breaking);
    }

    static Run of(String argument) {
      String[] parts = argument.split(",", -1);
      return new Run(
          parts[0],
          Integer.parseInt(parts[1]),
          Integer.parseInt(parts[2]),
          Integer.parseInt(parts[3]));
    }

    /** The output below a directory. */
    Path output(Path directory) {
      return directory.resolve(name + "-out");
    }
  }

  /**
   * Arguments: a directory with the table {@code prompts.csv} and a directory of notes for each
   * run, then the runs. The first has the settings that the application was submitted with.
   */
  public static void main(String... arguments) throws Exception {
    Path directory = Path.of(arguments[0]);
    SparkSession spark = SparkSession.builder().getOrCreate();
    for (int i = 1; i < arguments.length; i++) {
      Run run = Run.of(arguments[i]);
      if (i > 1) {
        spark.sparkContext().conf().set(SLOTS_PER_GPU, "" + run.slotsPerGpu);
      }
      run(spark, directory, run);
    }
    spark.stop();
  }

  private static void run(SparkSession spark, Path directory, Run run) throws Exception {
    Path notes = directory.resolve(run.name);
    RecordingLoader loader = RecordingLoader.plain(notes).breakingAfter(run.breaking).behindGate();
    Stages stages = new Stages(spark, loader, run.slots);
    spark.sparkContext().addSparkListener(stages);
    new TestJob(directory.resolve("prompts.csv"), run.output(directory))
        .partitions(2 * run.slots)
        .run(spark, Cluster.of(spark.sparkContext(), DeviceChoice.AUTO), loader::checkpoint);
    spark.sparkContext().listenerBus().waitUntilEmpty(); // the listener has heard everything then
    spark.sparkContext().removeSparkListener(stages);
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
