package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.RecordingLoader.Drawing;
import io.lightmill.udfs.RecordingLoader.Place;
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
import org.junit.jupiter.api.AfterAll;
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

  @TempDir static Path directory;

  private static StandaloneCluster cluster;

  private String name;

  @BeforeAll
  static void start() throws IOException {
    cluster = StandaloneCluster.start(directory, 4, GPUS / EXECUTORS);
    Files.write(directory.resolve("prompts.csv"), List.of(TestJob.rows(ROWS)));
  }

  @AfterAll
  static void stop() {
    cluster.close();
  }

  @Test
  void eachTaskDrawsOnTheGpuThatItWasGivenAndTheModelIsLoadedOncePerExecutorAndGpu()
      throws Exception {
    RecordingLoader loader = submitted("alone", 1);

    // The first four were all there before any of them drawn.
    assertThat(places(loader, GPUS)).hasSize(GPUS).doesNotHaveDuplicates();
    for (Place gpu : Set.copyOf(loader.loads())) {
      assertThat(visits(loader, gpu))
          .as("tasks on %s, one after the other", gpu)
          .doesNotHaveDuplicates();
    }
    loadedOncePerExecutorAndGpu(loader);
    tablesWereReadWithoutGpus(loader);
    manifestNamesTheGpus(loader);
  }

  @Test
  void twoSlotsShareAGpuAndItsModel() throws Exception {
    RecordingLoader loader = submitted("shared", 2);

    // The first eight were all there before any of them drawn.
    assertThat(
            places(loader, 2 * GPUS).stream()
                .collect(Collectors.groupingBy(place -> place, Collectors.counting()))
                .values())
        .hasSize(GPUS)
        .containsOnly(2L);
    loadedOncePerExecutorAndGpu(loader);
    tablesWereReadWithoutGpus(loader);
    manifestNamesTheGpus(loader);
  }

  /** Its executor ends, and others draw what it did not. */
  @Test
  void theTableEndsCompleteAfterADeviceFailedForGood() throws Exception {
    RecordingLoader loader = submitted("broken", 1, 2);

    assertThat(loader.broken()).hasSize(1);
    Map<String, Long> statuses =
        TestSpark.session()
            .read()
            .parquet(directory.resolve("broken-out/manifest/run_id=first").toString())
            .collectAsList()
            .stream()
            .collect(
                Collectors.groupingBy(row -> row.<String>getAs("status"), Collectors.counting()));
    assertThat(statuses).isEqualTo(Map.of("generated", (long) ROWS));
    assertThat(Files.readString(directory.resolve("broken.log")))
        .contains(
            "BrokenDeviceException: the device fails a tiny computation",
            "Command exited with code 71");
  }

  private RecordingLoader submitted(String name, int slots) throws Exception {
    return submitted(name, slots, 0);
  }

  private RecordingLoader submitted(String name, int slots, int breaking) throws Exception {
    this.name = name;
    Path notes = Files.createDirectory(directory.resolve(name));
    List<String> arguments = new ArrayList<>();
    arguments.addAll(
        List.of("--properties-file", Path.of("conf/spark/standalone.conf").toString()));
    Map<String, String> settings = cluster.settings();
    settings.put("spark.executor.resource.gpu.amount", "" + GPUS / EXECUTORS);
    settings.put("spark.lightmill.slotsPerGpu", "" + slots);
    settings.put("spark.plugins", "io.lightmill.udfs.progress.ProgressPlugin");
    settings.put("spark.ui.enabled", "false");
    settings.put("spark.sql.shuffle.partitions", "4");
    settings.forEach((key, value) -> arguments.addAll(List.of("--conf", key + "=" + value)));
    arguments.addAll(List.of("--class", StandaloneJob.class.getName(), "spark-internal"));
    arguments.addAll(
        List.of(
            directory.resolve("prompts.csv").toString(),
            directory.resolve(name + "-out").toString(),
            notes.toString(),
            "" + GPUS * slots,
            "" + breaking));
    Path log = directory.resolve(name + ".log");
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
    return RecordingLoader.plain(notes);
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

  private void tablesWereReadWithoutGpus(RecordingLoader loader) throws IOException {
    assertThat(loader.gpusWhileCounting()).isNotEmpty().containsOnly("0");
    List<String> stages = Files.readAllLines(directory.resolve(name).resolve(StandaloneJob.STAGES));
    assertThat(stages).contains("none").containsOnlyOnce("gpu");
  }

  private void manifestNamesTheGpus(RecordingLoader loader) {
    List<Row> rows =
        TestSpark.session()
            .read()
            .parquet(directory.resolve(name + "-out/manifest/run_id=first").toString())
            .collectAsList();
    assertThat(rows.stream().map(row -> row.<String>getAs("status"))).containsOnly("generated");
    Map<String, String> devices =
        loader.drawings().stream()
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
