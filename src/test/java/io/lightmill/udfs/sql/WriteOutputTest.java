package io.lightmill.udfs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.StoredBytes;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.report.RunSummary;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.DataFrameWriter;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code df.write.format("lightmill")}, with the checkpoint that ships. */
class WriteOutputTest {

  private static final String LAYER = "transformer.transformer_blocks.0.attn.to_out.0.";
  private static final int WIDTH = 192;

  @TempDir Path directory;

  private final SparkSession spark = TestSpark.session();

  private String output() {
    return directory.resolve("out").toString();
  }

  private DataFrameWriter<Row> writer(String... prompts) {
    Dataset<Row> rows =
        spark
            .createDataset(List.of(prompts), Encoders.STRING())
            .selectExpr("left(value, 1) AS id", "substr(value, 3) AS prompt");
    return rows.write()
        .format("lightmill")
        .option("checkpoint", "builtin:pocket")
        .option("num_inference_steps", 1);
  }

  private String state(String... columns) {
    return spark
        .read()
        .format("lightmill")
        .load(output())
        .orderBy("id")
        .selectExpr(columns)
        .collectAsList()
        .toString();
  }

  @Test
  void modesResumeDrawAgainRefuseAndIgnore() throws IOException {
    writer("1 a red mug").option("run-id", "first").save(output()); // as Spark's default mode
    assertThat(state("id", "status", "run_id")).isEqualTo("[[1,generated,first]]");

    writer("1 a red mug", "2 a blue mug").option("run-id", "second").mode("append").save(output());
    assertThat(state("id", "status", "run_id"))
        .isEqualTo("[[1,reused,second], [2,generated,second]]");

    writer("1 a red mug").option("run-id", "third").mode("overwrite").save(output());
    assertThat(state("id", "status", "run_id"))
        .isEqualTo("[[1,generated,third], [2,generated,second]]");

    assertThatThrownBy(() -> writer("3 a mug").option("run-id", "fourth").save(output()))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessageContaining("exists: it has 3 committed manifests; write with mode append");
    writer("3 a mug").option("run-id", "fifth").mode("ignore").save(output());
    assertThat(directory.resolve("out/manifest/fourth.parquet")).doesNotExist();
    assertThat(state("id")).isEqualTo("[[1], [2]]");
    assertThat(directory.resolve("out/manifest/fifth.parquet")).doesNotExist();
  }

  @Test
  void namesInOptionsKeepTheirCase() throws IOException {
    Path adapter =
        StoredBytes.write(
            directory.resolve("adapter.safetensors"),
            Map.of(
                LAYER + "lora_A.weight", StoredBytes.of(new float[WIDTH], 1L, (long) WIDTH),
                LAYER + "lora_B.weight", StoredBytes.of(new float[WIDTH], (long) WIDTH, 1L)));

    writer("1 a red mug")
        .option("lora.Brand", adapter.toString())
        .option("Default-Lora", "Brand@0.5")
        .save(output());

    assertThat(state("id", "status", "lora")).isEqualTo("[[1,generated,Brand@0.5]]");
  }

  @Test
  void whatAKilledRunLeftIsNoOutputYet() throws IOException {
    writer("1 a red mug").option("run-id", "killed").save(output());
    Files.delete(directory.resolve("out/manifest/killed.parquet"));

    writer("1 a red mug").option("run-id", "second").mode("ignore").save(output());

    assertThat(state("status", "run_id")).isEqualTo("[[reused,second]]");
  }

  @Test
  void failedRowsFailTheWriteAfterTheCommit() {
    assertThatThrownBy(() -> writer("1 a red mug", "2 ").save(output()))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.GENERATION_FAILED))
        .hasMessageContaining("1 of 2 rows failed or are invalid, and max-failures allows 0")
        .hasMessageContaining("row 2 invalid, PROMPT_MISSING: row id=2: prompt is empty");
    assertThat(state("id", "status")).isEqualTo("[[1,generated], [2,invalid]]");

    writer("1 a red mug", "2 ").option("max-failures", 1).mode("append").save(output());
    assertThat(state("id", "status")).isEqualTo("[[1,reused], [2,invalid]]");
  }

  @Test
  void aStoppedRunFailsTheWriteAfterTheCommit() {
    RunResult run = run(Map.of(ImageStatus.GENERATED, 3L, ImageStatus.PENDING, 2L));

    assertThatThrownBy(() -> RunOutcome.require(run, "out", Optional.empty()))
        .isInstanceOf(LightmillException.class)
        .hasMessageContaining("2 of 5 rows are pending")
        .hasMessageContaining("write with mode append to draw the rest");
    RunOutcome.require(run(Map.of(ImageStatus.REUSED, 3L)), "out", Optional.empty());
  }

  private static RunResult run(Map<ImageStatus, Long> counts) {
    return new RunResult(
        "first",
        null,
        null,
        "out/manifest/first.parquet",
        new RunSummary(counts, 0, 1, 1),
        null,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        List.of());
  }

  @Test
  void aWriteWithoutAnOutputOrWithAWrongOptionIsRefused() {
    assertThatThrownBy(() -> writer("1 a red mug").save())
        .hasMessageContaining("name its directory");
    assertThatThrownBy(() -> writer("1 a red mug").option("stepz", 1).save(output()))
        .hasMessageContaining("there is no option 'stepz'");
    assertThat(directory.resolve("out")).doesNotExist();
  }
}
