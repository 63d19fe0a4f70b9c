package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.RecordingLoader.Drawing;
import io.lightmill.udfs.RecordingLoader.Place;
import io.lightmill.udfs.StandaloneJob.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The main flow by way of {@code spark-submit} and the profile that users copy, on Spark's own
 * master and two workers that say they have two GPUs each. No GPU exists: the pipeline only records
 * its device.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class StandaloneTest {

  private static final int ROWS = 64;
  private static final int EXECUTORS = 2;
  private static final int GPUS = 4;

  private static final Run SHARED = new Run("shared", 2, 2 * GPUS, 0);
  private static final Run ALONE = new Run("alone", 1, GPUS, 0);

  /** Ends an executor, so it comes last. */
  private static final Run BROKEN = new Run("broken", 1, GPUS, 2);

  @TempDir static Path directory;

  private static Path log;

  /** One application runs everything, so its JVMs start once. */
  @BeforeAll
  static void submit() throws Exception {
    Files.write(directory.resolve("prompts.csv"), List.of(TestJob.rows(ROWS)));
    log = directory.resolve("submit.log");
    try (StandaloneCluster cluster = StandaloneCluster.start(directory, 4, GPUS / EXECUTORS)) {
      submit(cluster.settings(), SHARED, ALONE, BROKEN);
    }
  }

  private static void submit(Map<String, String> settings, Run... runs) throws Exception {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(
        List.of("--properties-file", Path.of("conf/spark/standalone.conf").toString()));
    settings.put("spark.executor.resource.gpu.amount", "" + GPUS / EXECUTORS);
    settings.put(StandaloneJob.SLOTS_PER_GPU, "" + runs[0].slotsPerGpu());
    settings.put("spark.plugins", "io.lightmill.udfs.progress.ProgressPlugin");
    settings.put("spark.ui.enabled", "false");
    settings.put("spark.sql.shuffle.partitions", "4");
    settings.forEach((key, value) -> arguments.addAll(List.of("--conf", key + "=" + value)));
    arguments.addAll(
        List.of("--class", StandaloneJob.class.getName(), "spark-internal", directory.toString()));
    for (Run run : runs) {
      Files.createDirectory(directory.resolve(run.name()));
      arguments.add(run.argument());
    }
    Process submit =
        TestJvm.of("1g", "org.apache.spark.deploy.SparkSubmit", arguments)
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      assertThat(submit.waitFor()).as(() -> read(log)).isZero();
    } finally {
      submit.destroyForcibly();
    }
  }

  @Test
  void eachTaskDrawsOnTheGpuThatItWasGivenAndTheModelIsLoadedOncePerExecutorAndGpu()
      throws Exception {
    RecordingLoader loader = loader(ALONE);

    // The first four were all there before any of them drawn.
    assertThat(places(loader, GPUS)).hasSize(GPUS).doesNotHaveDuplicates();
    for (Place gpu : Set.copyOf(loader.loads())) {
      assertThat(visits(loader, gpu))
          .as("tasks on %s, one after the other", gpu)
          .doesNotHaveDuplicates();
    }
    loadedOncePerExecutorAndGpu(loader);
    tablesWereReadWithoutGpus(ALONE);
    manifestNamesTheGpus(ALONE);
  }

  @Test
  void twoSlotsShareAGpuAndItsModel() throws Exception {
    RecordingLoader loader = loader(SHARED);

    // The first eight were all there before any of them drawn.
    assertThat(
            places(loader, 2 * GPUS).stream()
                .collect(Collectors.groupingBy(place -> place, Collectors.counting()))
                .values())
        .hasSize(GPUS)
        .containsOnly(2L);
    loadedOncePerExecutorAndGpu(loader);
    tablesWereReadWithoutGpus(SHARED);
    manifestNamesTheGpus(SHARED);
  }

  /** Its executor ends, and others draw what it did not. */
  @Test
  void theTableEndsCompleteAfterADeviceFailedForGood() throws Exception {
    assertThat(loader(BROKEN).broken()).hasSize(1);
    Map<String, Long> statuses =
        manifest(BROKEN).stream()
            .collect(
                Collectors.groupingBy(row -> row.<String>getAs("status"), Collectors.counting()));
    assertThat(statuses).isEqualTo(Map.of("generated", (long) ROWS));
    assertThat(Files.readString(log))
        .contains(
            "BrokenDeviceException: the device fails a tiny computation",
            "Command exited with code 71");
  }

  private static RecordingLoader loader(Run run) {
    return RecordingLoader.plain(directory.resolve(run.name()));
  }

  private static List<Row> manifest(Run run) {
    Path manifest = run.output(directory).resolve("manifest/first.parquet");
    return TestSpark.session().read().parquet(manifest.toString()).collectAsList();
  }

  private static String read(Path log) {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** Where each of the first partitions was drawn; Spark starts them in their order. */
  private static List<Place> places(RecordingLoader loader, int partitions) {
    return loader.drawings().stream()
        .filter(drawing -> drawing.partition() < partitions)
        .collect(Collectors.toMap(Drawing::partition, Drawing::place, (a, b) -> a))
        .values()
        .stream()
        .toList();
  }

  /** The partitions that were drawn on a GPU, each time that it turned to another. */
  private static List<Integer> visits(RecordingLoader loader, Place gpu) {
    List<Integer> visits = new ArrayList<>();
    for (Drawing drawing : loader.drawings()) {
      boolean stays = !visits.isEmpty() && visits.get(visits.size() - 1) == drawing.partition();
      if (drawing.place().equals(gpu) && !stays) {
        visits.add(drawing.partition());
      }
    }
    return visits;
  }

  private static void loadedOncePerExecutorAndGpu(RecordingLoader loader) {
    List<Place> loads = loader.loads();
    assertThat(loads).hasSize(GPUS).doesNotHaveDuplicates();
    assertThat(loads.stream().map(Place::process).distinct()).hasSize(EXECUTORS);
    assertThat(loads.stream().map(Place::device)).containsOnly("cuda:0", "cuda:1");
    assertThat(loader.drawings().stream().map(Drawing::place).collect(Collectors.toSet()))
        .isEqualTo(Set.copyOf(loads));
  }

  private static void tablesWereReadWithoutGpus(Run run) throws IOException {
    assertThat(loader(run).gpusWhileCounting()).isNotEmpty().containsOnly("0");
    List<String> stages =
        Files.readAllLines(directory.resolve(run.name()).resolve(StandaloneJob.STAGES));
    assertThat(stages).contains("none").containsOnlyOnce("gpu");
  }

  private static void manifestNamesTheGpus(Run run) {
    List<Row> rows = manifest(run);
    assertThat(rows.stream().map(row -> row.<String>getAs("status"))).containsOnly("generated");
    Map<String, String> devices =
        loader(run).drawings().stream()
            .collect(Collectors.toMap(Drawing::prompt, drawing -> drawing.place().device()));
    assertThat(devices).hasSize(ROWS);
    assertThat(
            rows.stream()
                .collect(
                    Collectors.toMap(
                        row -> row.<String>getAs("prompt"), row -> row.<String>getAs("device"))))
        .isEqualTo(devices);
  }
}
