package io.lightmill.udfs.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.SolidColorPipeline;
import io.lightmill.udfs.TestJob;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Options;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.commons.lang3.StringUtils;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run leaves in its output, its session and its result. */
class GenerationRunTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final SparkSession spark = TestSpark.session();
  private final SolidColorPipeline pipeline = new SolidColorPipeline();

  @TempDir Path directory;

  private Path output() {
    return directory.resolve("out");
  }

  private TestJob job() throws IOException {
    return TestJob.in(
        directory, List.of("id,prompt,seed", "1,a red mug,255", "2,a blue mug,16711680", "3,,"));
  }

  @Test
  void theResultSaysWhatIsWhere() throws IOException {
    RunResult result = job().run(pipeline);

    assertThat(result.runId()).isEqualTo("first");
    assertThat(result.counts())
        .isEqualTo(Map.of(ImageStatus.GENERATED, 2L, ImageStatus.INVALID, 1L));
    assertThat(result.manifest().count()).isEqualTo(3);
    assertThat(result.manifestLocation()).isEqualTo(output() + "/manifest/first.parquet");
    assertThat(result.recordLocation()).contains(output() + "/runs/first.json");
    assertThat(result.contactSheet()).contains(output() + "/contact-sheet.html");
    assertThat(result.contactSheetImage()).contains(output() + "/contact-sheet.png");
    assertThat(result.problems()).isEmpty();
    assertThat(output().resolve("contact-sheet.png")).exists();
    assertThat(Files.readString(output().resolve("contact-sheet.html")))
        .containsSubsequence("first", "paint", "a red mug", "a blue mug", "invalid");
    assertThat(result.reportPage()).contains(output() + "/report.html");
    assertThat(
            StringUtils.countMatches(
                Files.readString(output().resolve("report.html")), "\"thumbnail\":\"UklGR")) // RIFF
        .isEqualTo(2);
    assertThat(result.manifest().columns()).doesNotContain(Manifest.THUMBNAIL);
  }

  @Test
  void theRunRecordHasOptionsEnvironmentAndResults() throws IOException {
    RunResult result =
        job()
            .option(ModelOptions.CHECKPOINT, "https://me:hidden@host/model")
            .option(Options.COLUMN, Map.of("id", "id"))
            .run(pipeline);

    Path file = output().resolve("runs/first.json");
    assertThat(Files.readString(file)).doesNotContain("hidden");
    JsonNode record = JSON.readTree(file.toFile());
    assertThat(record).isEqualTo(JSON.readTree(result.record().json()));
    assertThat(record.properties().stream().map(Map.Entry::getKey))
        .containsExactly(
            "run_id",
            "started_at",
            "ended_at",
            "asked",
            "checkpoint",
            "images",
            "blank_images",
            "transformer_calls",
            "policy",
            "checks",
            "verdicts",
            "seconds",
            "images_per_second",
            "drawing",
            "spark",
            "versions");
    assertThat(record.at("/run_id").asText()).isEqualTo("first");
    assertThat(record.at("/asked/input").asText())
        .isEqualTo(directory.resolve("prompts.csv").toString());
    assertThat(record.at("/asked/column/id").asText()).isEqualTo("id");
    assertThat(record.at("/asked/batch-size").asInt()).isEqualTo(4);
    assertThat(record.at("/checkpoint/location").asText()).isEqualTo("https://host/model");
    assertThat(record.at("/checkpoint/digest").asText()).isEqualTo("0123456789abcdef");
    assertThat(record.at("/images").toString()).isEqualTo("{\"generated\":2,\"invalid\":1}");
    assertThat(record.at("/seconds").properties())
        .extracting(Map.Entry::getKey)
        .containsExactly("start", "plan", "load", "generate", "engine", "total");
    assertThat(record.at("/seconds/generate").asDouble()).isPositive();
    assertThat(record.at("/images_per_second").asDouble())
        .isEqualTo(2 / record.at("/seconds/generate").asDouble());
    assertThat(record.at("/spark/version").asText()).isEqualTo(spark.version());
    assertThat(record.at("/spark/hosts").asInt()).isEqualTo(1);
    assertThat(record.at("/spark/conf/spark.master").asText())
        .isEqualTo(spark.sparkContext().master());
    assertThat(record.at("/versions/java").asText()).isEqualTo(Runtime.version().toString());
  }

  @Test
  void aFailureAfterTheCommitIsListedAndDoesNotFailTheRun() throws IOException {
    Files.createDirectories(output());
    Files.writeString(output().resolve("runs"), "a file where the directory of records should be");

    RunResult result = job().run(pipeline);

    assertThat(result.counts()).containsEntry(ImageStatus.GENERATED, 2L);
    assertThat(output().resolve("manifest/first.parquet")).exists();
    assertThat(output().resolve("current.parquet")).exists();
    assertThat(result.recordLocation()).isEmpty();
    assertThat(result.contactSheet()).contains(output().resolve("contact-sheet.html").toString());
    assertThat(result.problems())
        .extracting(problem -> problem.replaceFirst(": .*", ""))
        .containsExactly(
            "the run record cannot be written", "the file of the latest run cannot be written");
  }

  @Test
  void aListenerThatThrowsAfterTheCommitDoesNotFailTheRun() throws IOException {
    RunListener throwing =
        new RunListener() {
          @Override
          public void finished(long images) {
            throw new IllegalStateException("the listener's own failure");
          }
        };

    RunResult result = job().progress(throwing).run(pipeline);

    assertThat(result.counts()).containsEntry(ImageStatus.GENERATED, 2L);
    assertThat(result.recordLocation()).isPresent();
  }

  @Test
  void aRunTakesADataFrameInsteadOfALocation() throws IOException {
    Dataset<Row> prompts =
        spark.sql(
            "select 'x' id, 'a mug' prompt, 5L seed, 1.5D price union all"
                + " select 'y', '', 6L, 2.5D");

    RunResult result = job().prompts(prompts).run(pipeline);

    assertThat(result.manifest().orderBy("id").select("id", "status", "price").collectAsList())
        .hasToString("[[x,generated,1.5], [y,invalid,2.5]]");
  }

  @Test
  void aRunChangesNoStateOfItsSession() throws IOException {
    SessionState before = SessionState.of(spark);

    job().run(pipeline);

    before.assertUnchangedIn(spark);
  }

  @Test
  void theManifestIsATableOfTheSessionOfTheCaller() throws IOException {
    SparkSession caller = spark.newSession();

    job().run(pipeline).in(caller).manifest().createOrReplaceTempView("rows_of_the_run");

    assertThat(caller.sql("SELECT id FROM rows_of_the_run ORDER BY id").collectAsList())
        .hasToString("[[1], [2], [3]]");
    assertThat(spark.catalog().tableExists("rows_of_the_run")).isFalse();
  }

  @Test
  void twoRunsAtOnceInOneSession() throws Exception {
    assertBothRun(spark, spark, pipeline);
  }

  @Test
  void twoRunsAtOnceInTwoSessions() throws Exception {
    SparkSession other = spark.newSession();
    other.conf().set("spark.sql.session.timeZone", "Asia/Tokyo");
    assertBothRun(spark, other, pipeline);
  }

  /**
   * Both runs have the same run id and the same model, and neither goes on drawing before both
   * draw. One is ended early, which must not end the other.
   */
  private void assertBothRun(SparkSession one, SparkSession two, SolidColorPipeline pipeline)
      throws Exception {
    Path left = Files.createDirectories(directory.resolve("left"));
    Path right = Files.createDirectories(directory.resolve("right"));
    List<String> lines = List.of("id,prompt", "1,a", "2,b", "3,c", "4,d");
    TestJob first = TestJob.in(left, lines).session(one).batchSize(1).partitions(1);
    TestJob second = TestJob.in(right, lines).session(two).batchSize(1).partitions(1);
    CountDownLatch planned = new CountDownLatch(2);
    first.progress(new Meeting(planned, () -> GenerationRun.end(first.options())));
    second.progress(new Meeting(planned, () -> {}));

    CompletableFuture<RunResult> ended = CompletableFuture.supplyAsync(() -> first.run(pipeline));
    CompletableFuture<RunResult> whole = CompletableFuture.supplyAsync(() -> second.run(pipeline));

    assertThat(ended.get(120, TimeUnit.SECONDS).counts())
        .isEqualTo(Map.of(ImageStatus.PENDING, 4L));
    assertThat(whole.get(120, TimeUnit.SECONDS).counts())
        .isEqualTo(Map.of(ImageStatus.GENERATED, 4L));
    assertThat(whole.get().problems()).isEmpty();
    assertThat(pipeline.loads.get()).isEqualTo(pipeline.closes.get());
  }

  /** Runs an action once its run is planned, then waits until the other run is planned too. */
  private record Meeting(CountDownLatch planned, Runnable action) implements RunListener {

    @Override
    public void planned(long images, long toGenerate) {
      action.run();
      planned.countDown();
      try {
        assertThat(planned.await(60, TimeUnit.SECONDS)).isTrue();
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
