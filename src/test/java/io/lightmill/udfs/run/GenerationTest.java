package io.lightmill.udfs.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.image.ImageReceiptReader;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.TestSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The run that callers describe in Java, with the checkpoint that ships. */
class GenerationTest {

  private static final AtomicInteger COMPUTED = new AtomicInteger();

  @TempDir Path directory;

  private final SparkSession spark = TestSpark.session();

  private String output(String name) {
    return directory.resolve(name).toString();
  }

  private Generation described() {
    return Generation.on(spark).checkpoint("builtin:pocket").option("num-inference-steps", 1);
  }

  private Dataset<Row> mugs(int count) {
    return spark
        .range(count)
        .selectExpr("string(id) AS id", "'a red mug' AS prompt", "id AS stock");
  }

  @Test
  void aDataFrameBecomesImages() {
    RunResult run =
        described().prompts(mugs(3)).output(output("out")).option("run_id", "first").execute();

    assertThat(run.runId()).isEqualTo("first");
    assertThat(run.counts()).isEqualTo(Map.of(ImageStatus.GENERATED, 3L));
    assertThat(
            run.manifest()
                .orderBy("id")
                .select("id", "stock", "num_inference_steps")
                .collectAsList())
        .hasToString("[[0,0,1], [1,1,1], [2,2,1]]");
    for (Row row : run.manifest().collectAsList()) {
      assertThat(directory.resolve("out").resolve(row.<String>getAs("path"))).isRegularFile();
    }
    assertThat(Path.of(run.contactSheet().orElseThrow())).isRegularFile();
    assertThat(Path.of(run.recordLocation().orElseThrow()))
        .content()
        .contains("\"num-inference-steps\"");
    assertThat(run.problems()).isEmpty();
  }

  @Test
  void aTableIsReadFromItsLocation() throws IOException {
    Path table = Files.write(directory.resolve("t.csv"), List.of("sku,caption", "1,a red mug"));

    RunResult run =
        described()
            .prompts(mugs(3))
            .prompts(table.toString())
            .options(Map.of("column.prompt", "caption", "column.id", "sku"))
            .output(output("out"))
            .execute();

    assertThat(run.manifest().select("id", "prompt").collectAsList())
        .hasToString("[[1,a red mug]]");
  }

  @Test
  void rowsThatDifferEachTimeAreDrawnAsPlanned() throws IOException {
    Dataset<Row> rows =
        spark
            .range(0, 4, 1, 2)
            .map(
                (MapFunction<Long, Row>)
                    id -> RowFactory.create(id.toString(), "mug " + COMPUTED.incrementAndGet()),
                Encoders.row(StructType.fromDDL("id STRING, prompt STRING")));
    for (int run = 1; run <= 2; run++) { // the second one looks for images of the first one too
      RunResult result = described().prompts(rows).output(output("out")).execute();

      assertThat(result.counts()).isEqualTo(Map.of(ImageStatus.GENERATED, 4L));
      assertThat(COMPUTED).hasValue(4 * run);
      for (Row row : result.manifest().collectAsList()) {
        byte[] image =
            Files.readAllBytes(directory.resolve("out").resolve(row.<String>getAs("path")));
        assertThat(ImageReceiptReader.identity(image).orElseThrow())
            .contains("\"" + row.<String>getAs("prompt") + "\"");
      }
    }
  }

  @Test
  void runsFollowEachOtherAndOverlapInOneSessionAndLeaveItAsItWas() {
    SessionState before = SessionState.of(spark);
    Generation described = described().prompts(mugs(2));

    List<CompletableFuture<RunResult>> atOnce =
        Stream.of("a", "b")
            .map(name -> CompletableFuture.supplyAsync(described.output(output(name))::execute))
            .toList();
    atOnce.forEach(
        run -> assertThat(run.join().counts()).isEqualTo(Map.of(ImageStatus.GENERATED, 2L)));
    RunResult again = described.output(output("a")).execute();
    RunResult inAnotherSession =
        Generation.on(spark.newSession())
            .prompts(mugs(2))
            .option("num-inference-steps", 1)
            .output(output("b"))
            .execute();

    assertThat(again.counts()).isEqualTo(Map.of(ImageStatus.REUSED, 2L));
    assertThat(inAnotherSession.counts()).isEqualTo(Map.of(ImageStatus.REUSED, 2L));
    before.assertUnchangedIn(spark);
    assertThat(spark.sparkContext().getCheckpointDir().isEmpty()).isTrue();
  }

  @Test
  void everyStepIsADescriptionOfItsOwn() {
    Generation common = described().prompts(mugs(1)).output(output("out")).option("seed", 1);
    Generation other = common.option("seed", 2);

    Row first = common.execute().manifest().first();
    Row second = other.execute().manifest().first();
    Row third = common.execute().manifest().first();

    assertThat(second.<Long>getAs("seed")).isNotEqualTo(first.<Long>getAs("seed"));
    assertThat(third.<Long>getAs("seed")).isEqualTo(first.<Long>getAs("seed"));
    assertThat(third.<String>getAs("status")).isEqualTo("reused");
  }

  @Test
  void whatIsMissingOrWrongIsRefusedBeforeAnythingIsDrawn() {
    Generation complete = described().prompts(mugs(1)).output(output("out"));

    assertRefused(described().output(output("out")), "the run has no prompts");
    assertRefused(described().prompts(mugs(1)), "output");
    assertRefused(complete.option("batch-sise", 4), "did you mean 'batch-size'");
    assertRefused(complete.option("batch-size", "four"), "option 'batch-size' is 'four'");
    assertRefused(complete.option("master", "local"), "'master' sets up a Spark session");
    assertRefused(complete.checkpoint(output("none")), "none");
    assertThat(directory.resolve("out")).doesNotExist();
  }

  private static void assertRefused(Generation described, String message) {
    assertThatThrownBy(described::execute)
        .isInstanceOfSatisfying(
            LightmillException.class,
            e ->
                assertThat(e.code())
                    .isIn(ErrorCode.CONFIGURATION_INVALID, ErrorCode.CHECKPOINT_INVALID))
        .hasMessageContaining(message);
  }
}
