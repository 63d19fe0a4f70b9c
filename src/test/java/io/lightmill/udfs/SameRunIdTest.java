package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.udfs.run.GenerationRun;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A scheduler starts a run again with the same id. */
class SameRunIdTest {

  @TempDir Path directory;

  private final SolidColorPipeline pipeline = new SolidColorPipeline();
  private TestJob job;

  @BeforeEach
  void job() throws IOException {
    job = TestJob.in(directory, List.of(TestJob.rows(4))).partitions(1).batchSize(1);
  }

  /** The first attempt is stopped after two images. */
  private RunResult stopped() {
    pipeline.failing(
        batch -> {
          if (pipeline.batches.size() == 2) {
            GenerationRun.end(job.options());
          }
        });
    RunResult result = job.run(pipeline);
    assertThat(result.counts())
        .isEqualTo(Map.of(ImageStatus.GENERATED, 2L, ImageStatus.PENDING, 2L));
    pipeline.failing(batch -> {});
    pipeline.batches.clear();
    return result;
  }

  @Test
  void aStoppedRunIsContinued() throws IOException {
    stopped();

    RunResult result = job.run(pipeline);

    assertThat(result.counts())
        .isEqualTo(Map.of(ImageStatus.GENERATED, 2L, ImageStatus.REUSED, 2L));
    assertThat(pipeline.batches).hasSize(2);
    assertThat(result.runId()).isEqualTo("first.attempt-2");
    assertThat(read("run-id", "first").count()).isEqualTo(4);
    assertThat(read("run-id", "first").filter("status = 'pending'").count()).isZero();
    assertThat(read("all-runs", "true").count()).isEqualTo(8);
    JsonNode latest =
        new ObjectMapper().readTree(directory.resolve("out/runs/latest.json").toFile());
    assertThat(latest.get("run_id").asText()).isEqualTo("first");
    assertThat(latest.get("attempt").asInt()).isEqualTo(2);
    assertThat(latest.get("status").asText()).isEqualTo("succeeded");
    assertThat(latest.get("images").toString()).isEqualTo("{\"generated\":2,\"reused\":2}");
    assertThat(latest.get("manifest").asText()).isEqualTo(result.manifestLocation());
  }

  @Test
  void withForceTheImagesOfTheRunItselfAreReused() throws IOException {
    job.runId("before").run(pipeline);
    pipeline.batches.clear();
    job.runId("first").force();
    stopped();

    RunResult result = job.run(pipeline);

    assertThat(result.counts())
        .isEqualTo(Map.of(ImageStatus.GENERATED, 2L, ImageStatus.REUSED, 2L));
  }

  @Test
  void aRunThatSucceededDrawsNothingAgain() {
    job.run(pipeline);
    pipeline.batches.clear();

    RunResult result = job.run(pipeline);

    assertThat(result.counts()).isEqualTo(Map.of(ImageStatus.REUSED, 4L));
    assertThat(pipeline.batches).isEmpty();
  }

  private Dataset<Row> read(String option, String value) {
    return TestSpark.session()
        .read()
        .format("lightmill")
        .option(option, value)
        .load(directory.resolve("out").toString());
  }
}
