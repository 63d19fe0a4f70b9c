package io.lightmill.udfs.sql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.udfs.HandClock;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.SolidColorPipeline;
import io.lightmill.udfs.TestJob;
import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.shard.ShardFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An output as a table: {@code spark.read.format("lightmill")}. */
class ReadOutputTest {

  private static final SolidColorPipeline PIPELINE = new SolidColorPipeline();

  /** Of the output that tests share, which none of them changes. */
  @TempDir static Path shared;

  @TempDir Path directory;

  @BeforeAll
  static void runTwiceAndAHalf() throws IOException {
    run(
        shared,
        "first",
        "id,prompt,size,num_images_per_prompt",
        "1,a mug,4,1",
        "2,a jug,,1",
        "3,a cup,6,1",
        "50,\"a bowl, small\",6,3",
        ",a mug,,1",
        ",a jug,,1");
    run(
        shared,
        "second",
        "id,prompt,size,num_images_per_prompt",
        "2,another jug,,1",
        "3,a cup,6,1",
        "4,a pot,,1",
        "50,\"a bowl, large\",7,1",
        ",a pan,,1",
        ",a pot,,1");
    run(shared, "killed", "id,prompt", "1,an urn");
    Files.delete(shared.resolve("out/manifest/killed.parquet"));
  }

  private static void run(Path directory, String runId, String... lines) throws IOException {
    job(directory, runId, lines).run(PIPELINE);
  }

  private static TestJob job(Path directory, String runId, String... lines) throws IOException {
    Path table = Files.write(directory.resolve(runId + ".csv"), List.of(lines));
    return new TestJob(table, directory.resolve("out")).runId(runId);
  }

  private static DataFrameReader reader() {
    return TestSpark.session().read().format("lightmill");
  }

  private static Dataset<Row> state(Path directory) {
    return reader().load(directory.resolve("out").toString());
  }

  private static Dataset<Row> images(Path directory) {
    return reader().option("image-bytes", true).load(directory.resolve("out").toString());
  }

  /** Values by id and variant. */
  private static Map<String, String> byImage(Dataset<Row> rows, String column) {
    Map<String, String> values = new TreeMap<>();
    for (Row row :
        rows.selectExpr("id || '-' || variant", "string(`%s`)".formatted(column)).collectAsList()) {
      assertThat(values.put(row.getString(0), row.getString(1))).as("second row").isNull();
    }
    return values;
  }

  @Test
  void theCurrentStateHasTheNewestRowOfEveryImage() {
    Dataset<Row> named = state(shared).filter("id is not null");

    assertThat(byImage(named, "prompt"))
        .hasToString(
            "{1-0=a mug, 2-0=another jug, 3-0=a cup, 4-0=a pot,"
                + " 50-0=a bowl, large, 50-1=a bowl, small, 50-2=a bowl, small}");
    assertThat(byImage(named, "run_id"))
        .hasToString(
            "{1-0=first, 2-0=second, 3-0=second, 4-0=second,"
                + " 50-0=second, 50-1=first, 50-2=first}");
    assertThat(byImage(named, "status"))
        .containsEntry("3-0", "reused")
        .containsEntry("2-0", "generated");
    assertThat(state(shared).count()).isEqualTo(9);
  }

  @Test
  void anImageStaysWhileARunThatDrawsItAgainHasNotDrawnIt() throws IOException {
    run(directory, "first", "id,prompt", "1,a mug", "2,a jug", "3,a cup");
    String[] changed = {"id,prompt", "1,a mug", "2,another jug", "3,a cup", "4,a pot"};
    SolidColorPipeline failing =
        new SolidColorPipeline()
            .failing(
                batch -> {
                  if (batch.get(0).prompt().equals("a cup")) {
                    throw new IllegalStateException("CUDA error");
                  }
                });
    job(directory, "failed", "id,prompt", "3,a cup").force().run(failing);
    HandClock clock = new HandClock(Instant.parse("2026-03-04T12:00:00Z"));
    RunListener late =
        new RunListener() {
          @Override
          public void planned(long images, long toDraw) {
            clock.advance(Duration.ofHours(1));
          }
        };
    job(directory, "stopped", changed)
        .force()
        .clock(clock)
        .deadline(clock.instant().plus(Duration.ofMinutes(1)))
        .progress(late)
        .run(PIPELINE);

    assertThat(byImage(state(directory), "status"))
        .hasToString("{1-0=generated, 2-0=pending, 3-0=generated, 4-0=pending}");
    assertThat(byImage(state(directory), "run_id"))
        .hasToString("{1-0=first, 2-0=stopped, 3-0=first, 4-0=stopped}");
    assertThat(images(directory).filter("image is not null").count()).isEqualTo(2);

    job(directory, "last", changed).force().run(PIPELINE);
    assertThat(byImage(state(directory), "run_id"))
        .hasToString("{1-0=last, 2-0=last, 3-0=last, 4-0=last}");
  }

  @Test
  void rowsWithoutAnIdAreThoseOfTheNewestRun() {
    assertThat(
            state(shared).filter("id is null").orderBy("prompt").select("prompt").collectAsList())
        .hasToString("[[a pan], [a pot]]");
  }

  @Test
  void oneRunOrAllRunsAreReadWithAllTheirRows() {
    String output = shared.resolve("out").toString();

    assertThat(reader().option("run-id", "first").load(output).groupBy("run_id").count())
        .satisfies(rows -> assertThat(rows.collectAsList()).hasToString("[[first,8]]"));
    assertThat(reader().option("all_runs", true).load(output).groupBy("run_id").count())
        .satisfies(
            rows ->
                assertThat(rows.orderBy("run_id").collectAsList())
                    .hasToString("[[first,8], [second,6]]"));
  }

  @Test
  void sqlReadsAnOutputAsAView() {
    TestSpark.session()
        .sql(
            "create or replace temporary view campaign using lightmill options (path '%s')"
                .formatted(shared.resolve("out")));

    assertThat(
            TestSpark.session()
                .sql("select count(*) from campaign where id <> '1'")
                .first()
                .getLong(0))
        .isEqualTo(6);
  }

  @Test
  void filtersThatSparkOffersSelectWhatSparkSelects() {
    Dataset<Row> read = state(shared);
    Dataset<Row> plain = TestSpark.session().createDataFrame(read.collectAsList(), read.schema());

    for (String filter :
        List.of(
            "size = '4'",
            "size <=> null",
            "not size = '6'",
            "variant > 0 or id like '4%'",
            "variant >= 1 and id like '%0'",
            "variant < 1 and prompt like '%u%'",
            "variant <= 1 and not (size is null or id in ('1', '3'))",
            "size is not null",
            "id is null",
            "prompt > 'a d' and created_at > timestamp '2020-01-01'",
            "length(prompt) > 5 and id <> '2'")) {
      List<Row> expected = plain.filter(filter).select("prompt", "variant").collectAsList();
      assertThat(expected).as(filter).isNotEmpty().hasSizeLessThan(9);
      assertThat(read.filter(filter).select("prompt", "variant").collectAsList())
          .as(filter)
          .containsExactlyInAnyOrderElementsOf(expected);
    }
  }

  @Test
  void planningAReadRunsNoJob() {
    SparkContext context = TestSpark.session().sparkContext();
    Dataset<Row> counted = state(shared).groupBy("status").count();
    context.setJobGroup("plan only", "", false);
    try {
      counted.queryExecution().executedPlan();
      assertThat(context.statusTracker().getJobIdsForGroup("plan only")).isEmpty();
      counted.collectAsList();
      assertThat(context.statusTracker().getJobIdsForGroup("plan only")).isNotEmpty();
    } finally {
      context.clearJobGroup();
    }
  }

  @Test
  void passthroughColumnsOfAllRunsAreMergedByName() throws IOException {
    run(directory, "csv", "id,prompt,Price,shop.name", "1,a mug,dear,north");
    Path typed = directory.resolve("typed.parquet");
    TestSpark.session()
        .sql("select '2' as id, 'a jug' as prompt, 2.5 as price, 7 as stock")
        .write()
        .parquet(typed.toString());
    new TestJob(typed, directory.resolve("out")).runId("typed").run(PIPELINE);
    Path wider = directory.resolve("wider.parquet");
    TestSpark.session()
        .sql("select '3' as id, 'a cup' as prompt, 8000000000L as stock")
        .write()
        .parquet(wider.toString());
    new TestJob(wider, directory.resolve("out")).runId("wider").run(PIPELINE);

    assertThat(state(directory).schema().fieldNames())
        .startsWith("stock", "price", "shop.name", "image_id");
    assertThat(state(directory).schema().apply("stock").dataType()).isEqualTo(DataTypes.LongType);
    assertThat(byImage(state(directory), "stock").toString())
        .isEqualTo("{1-0=null, 2-0=7, 3-0=8000000000}");
    assertThat(byImage(state(directory), "price").toString())
        .isEqualTo("{1-0=dear, 2-0=2.5, 3-0=null}");
    assertThat(byImage(state(directory).filter("`shop.name` = 'north'"), "shop.name").toString())
        .isEqualTo("{1-0=north}");
  }

  @Test
  void imagesAreReadWhereAQueryNeedsThem() throws IOException {
    job(
            directory,
            "first",
            "id,prompt",
            "1,a mug",
            "2,a jug",
            "3,many more words than this pipeline takes in one prompt")
        .packed(ShardFormat.PARQUET, 1)
        .run(PIPELINE);
    Dataset<Row> images = images(directory);

    assertThat(images.schema().apply("image").dataType()).isEqualTo(DataTypes.BinaryType);
    assertThat(images.filter("sha2(image, 256) = sha256").select("id").collectAsList()).hasSize(2);
    assertThat(images.filter("image is null").select("id").collectAsList()).hasToString("[[3]]");

    String shard = byImage(state(directory), "path").get("2-0");
    Files.write(directory.resolve("out").resolve(shard), new byte[100]);
    assertThat(images.select("id", "path").collectAsList()).hasSize(3);
    assertThat(images.filter("id <> '2'").select("image").collectAsList()).hasSize(2);
    assertThatThrownBy(() -> images.select("image").collectAsList())
        .hasStackTraceContaining("cannot be read from shard '%s'".formatted(shard));
  }

  @Test
  void anObjectThatIsGoneOrReplacedIsNoImage() throws IOException {
    job(directory, "first", "id,prompt", "1,a mug", "2,a jug", "3,a cup", "4,a pot")
        .packed(ShardFormat.WEBDATASET, 1)
        .run(PIPELINE);
    job(directory, "second", "id,prompt", "5,a pan", "6,an urn", "7,a vase").run(PIPELINE);
    Map<String, String> paths = byImage(state(directory), "path");
    Path output = directory.resolve("out");
    Files.delete(output.resolve(paths.get("1-0")));
    Files.write(output.resolve(paths.get("2-0")), new byte[] {1, 2, 3});
    Files.delete(output.resolve(paths.get("5-0")));
    Files.write(output.resolve(paths.get("6-0")), new byte[] {1, 2, 3});

    Dataset<Row> read = images(directory);

    assertThat(read.filter("sha2(image, 256) = sha256").orderBy("id").select("id").collectAsList())
        .hasToString("[[3], [4], [7]]");
    assertThat(read.filter("image is null").count()).isEqualTo(4);
  }

  @Test
  void whatCannotBeReadIsRefusedWithTheFix() throws IOException {
    String output = directory.resolve("out").toString();
    assertThatThrownBy(() -> state(directory))
        .hasMessageContaining(output)
        .hasMessageContaining("has no committed manifest below 'manifest'");
    run(directory, "first", "id,prompt,image", "1,a mug,x");

    assertThatThrownBy(() -> reader().option("run-id", "frist").load(output))
        .hasMessageContaining("has no committed run 'frist'; its newest are first");
    assertThatThrownBy(() -> images(directory))
        .hasMessageContaining("has a column 'image' from its prompt table");
    assertThatThrownBy(() -> reader().option("runid", "first").load(output))
        .hasMessageContaining("no read option 'runid'");
    assertThatThrownBy(() -> reader().option("all-runs", "yes").load(output))
        .hasMessageContaining("option all-runs is 'yes'; write true or false");
    assertThatThrownBy(
            () -> reader().option("all-runs", true).option("run-id", "first").load(output))
        .hasMessageContaining("exclude each other");
    assertThatThrownBy(() -> reader().load()).hasMessageContaining("name its directory");
    assertThat(byImage(state(directory), "image")).isEqualTo(Map.of("1-0", "x"));
    Files.write(directory.resolve("out/manifest/first.parquet"), new byte[] {1});
    assertThatThrownBy(() -> state(directory)).hasMessageContaining("cannot be read");
  }
}
