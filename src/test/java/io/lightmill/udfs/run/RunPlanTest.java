package io.lightmill.udfs.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.DeviceChoice;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.SolidColorPipeline;
import io.lightmill.udfs.TestJob;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.estimate.PlanReport;
import io.lightmill.udfs.estimate.UndrawnRows;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunPlanTest {

  private static final List<String> TABLE =
      List.of(
          "id,prompt,width,height,num_inference_steps,season",
          "1,a red mug,32,32,4,winter",
          "2,a blue mug,32,32,4,winter",
          "3,a green mug,32,32,4,winter",
          "4,a bowl,64,32,2,winter",
          "5,a plate,64,32,2,summer",
          "6,a jug,33,32,4,summer",
          "7,a pool of blood and gore,32,32,4,summer",
          "2,a second row,32,32,4,summer");

  @TempDir Path directory;

  private final SolidColorPipeline pipeline = new SolidColorPipeline();
  private final SparkSession spark = TestSpark.session();

  private RunHooks hooks() {
    return new RunHooks(
        Instant.now(),
        Clock.systemUTC(),
        Cluster.of(spark.sparkContext(), DeviceChoice.CPU),
        pipeline::checkpoint);
  }

  private PlanReport plan(GenerationOptions options, RunPlan.Speed speed) {
    return RunPlan.of(spark, Optional.empty(), options, speed, RunListener.NONE, hooks());
  }

  @Test
  void aPlanCountsEveryRowAndWritesNothing() throws IOException {
    TestJob few = TestJob.in(directory, TABLE.subList(0, 2));
    few.run(pipeline);
    List<Path> before = files(directory.resolve("out"));
    long drawn = pipeline.batches.size();
    GenerationOptions options = TestJob.in(directory, TABLE).options();

    PlanReport plan = plan(options, RunPlan.Speed.EARLIER);

    assertThat(plan.images()).isEqualTo(new PlanReport.Images(7, 4, 0, 1, 1, 0, 1, 1));
    assertThat(plan.problems().stream().map(UndrawnRows.Problem::status))
        .containsExactly("invalid", "blocked", "duplicate");
    assertThat(plan.problems().get(0).message()).contains("row id=6", "33");
    assertThat(plan.problems().get(2).id()).isEqualTo("2");
    assertThat(
            plan.sizes().stream()
                .collect(
                    Collectors.toMap(
                        size -> size.width() + "x" + size.height() + "/" + size.steps(),
                        PlanReport.Size::images)))
        .isEqualTo(Map.of("32x32/4", 2L, "64x32/2", 2L));
    assertThat(plan.estimate().basis()).isEqualTo("measured by 1 image of earlier runs");
    assertThat(plan.estimate().deviceSeconds()).isPositive();
    assertThat(plan.partitions()).isEqualTo(2);
    assertThat(String.join("\n", plan.lines()))
        .contains("exist                 1", "SIZE_INVALID", "row id=6", "ID_DUPLICATE: row id=2");
    JsonNode json = new ObjectMapper().readTree(plan.json());
    assertThat(json.get("images").get("to_draw").asLong()).isEqualTo(4);
    assertThat(json.get("estimate").get("device_seconds").isNumber()).isTrue();
    assertThat(files(directory.resolve("out"))).isEqualTo(before);
    assertThat(pipeline.batches).hasSize((int) drawn);
  }

  @Test
  void sizesThatNoRunHasDrawnAreMeasured() throws IOException {
    GenerationOptions options = TestJob.in(directory, TABLE.subList(0, 6)).options();
    assertThat(plan(options, RunPlan.Speed.EARLIER).estimate().deviceSeconds()).isNull();
    assertThat(pipeline.batches).isEmpty();

    PlanReport plan = plan(options, RunPlan.Speed.MEASURED);

    // Two sizes, on two slots, three images each beside the one that is not counted.
    assertThat(plan.estimate().basis()).isEqualTo("measured by 12 images drawn now");
    assertThat(plan.estimate().deviceSeconds()).isPositive();
    assertThat(plan.estimate().bytes()).isPositive();
    assertThat(
            pipeline.batches.stream()
                .flatMap(List::stream)
                .map(request -> request.width() + "x" + request.height()))
        .hasSize(16)
        .containsOnly("32x32", "64x32");
    assertThat(directory.resolve("out")).doesNotExist();
  }

  @Test
  void aPreviewDrawsTheImagesOfTheRunIntoADirectoryOfItsOwn() throws IOException {
    GenerationOptions options =
        TestJob.in(directory, TABLE.subList(0, 8)).options().without(Options.RUN_ID);
    Path sample = directory.resolve("sample");

    RunResult preview =
        preview(options, new Preview(3, Optional.of("season"), Optional.of(sample.toString())));

    assertThat(preview.counts()).isEqualTo(Map.of(ImageStatus.GENERATED, 3L));
    assertThat( // every combination of size, steps and season
            preview.manifest().select("width", "season").collectAsList().stream()
                .map(row -> row.getInt(0) + " " + row.getString(1)))
        .containsExactlyInAnyOrder("32 winter", "64 winter", "64 summer");
    assertThat(sample.resolve("contact-sheet.html")).exists();
    assertThat(directory.resolve("out")).doesNotExist();
    Map<String, byte[]> drawn = images(sample);
    assertThat(drawn).hasSize(3);

    RunResult again =
        preview(
            options.with(ModelOptions.PARTITIONS, 1),
            new Preview(
                3, Optional.of("season"), Optional.of(directory.resolve("other").toString())));
    assertThat(images(directory.resolve("other")).keySet()).isEqualTo(drawn.keySet());
    assertThat(again.counts()).isEqualTo(preview.counts());

    TestJob.in(directory, TABLE.subList(0, 8)).run(pipeline);
    Map<String, byte[]> all = images(directory.resolve("out"));
    drawn.forEach((name, bytes) -> assertThat(all.get(name)).as(name).isEqualTo(bytes));
  }

  private RunResult preview(GenerationOptions options, Preview preview) {
    return preview.drawn(spark, Optional.empty(), options, RunListener.NONE, hooks());
  }

  @Test
  void aPreviewIsRefusedWhereItHasNoPlaceOrNoImages() throws IOException {
    GenerationOptions options = TestJob.in(directory, TABLE.subList(0, 2)).options();
    String out = options.get(Options.OUTPUT_DIRECTORY);
    assertThatThrownBy(() -> preview(options, new Preview(3, Optional.empty(), Optional.of(out))))
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining("would be drawn into the output");
    assertThatThrownBy(
            () -> preview(options, new Preview(3, Optional.of("saeson"), Optional.empty())))
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining("--stratify names the column 'saeson'");
    TestJob.in(directory, TABLE.subList(0, 2)).run(pipeline);
    assertThatThrownBy(() -> preview(options, new Preview(3, Optional.empty(), Optional.empty())))
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining("of 1 images none is to be drawn");
  }

  private static List<Path> files(Path root) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      return all.sorted().toList();
    }
  }

  private static Map<String, byte[]> images(Path output) throws IOException {
    Map<String, byte[]> images = new TreeMap<>();
    for (Path file : files(output.resolve("images"))) {
      if (file.toString().endsWith(".png")) {
        images.put(output.relativize(file).toString(), Files.readAllBytes(file));
      }
    }
    return images;
  }
}
