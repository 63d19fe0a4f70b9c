package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.image.ImageReceiptReader;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.plan.ImageIdentity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageGenerationTest {

  @TempDir Path directory;

  private final PaintStudio studio = new PaintStudio();

  private Path output() {
    return directory.resolve("out");
  }

  private TestJob job(String... lines) throws IOException {
    return job(List.of(lines));
  }

  private TestJob job(List<String> lines) throws IOException {
    Path table = directory.resolve("prompts.csv");
    Files.write(table, lines);
    return new TestJob(table, output());
  }

  private static List<String> manyRows(int count) {
    return Stream.concat(
            Stream.of("id,prompt"), IntStream.range(0, count).mapToObj(i -> i + ",mug " + i))
        .toList();
  }

  private static List<Row> rows(ImageGeneration.Result result) {
    return result.manifest().orderBy("id", "variant").collectAsList();
  }

  private List<Path> imageFiles() throws IOException {
    try (Stream<Path> files = Files.walk(output().resolve("images"))) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  private static void assertRefused(
      TestJob job, PaintStudio studio, ErrorCode code, String... said) {
    assertThatThrownBy(() -> job.run(studio))
        .isInstanceOfSatisfying(LightmillException.class, e -> assertThat(e.code()).isEqualTo(code))
        .hasMessageContainingAll(said);
    assertThat(studio.loads).hasValue(0);
  }

  @Test
  void everyImageIsDrawnStoredAndAccountedFor() throws IOException {
    ImageGeneration.Result result =
        job("id,prompt,width,seed,sku", "1,a red mug,64,5,R1", "2,a blue mug,,,B2").run(studio);

    assertThat(result.statuses()).isEqualTo(Map.of("generated", 2L));
    Row row = rows(result).get(0);
    byte[] stored = Files.readAllBytes(output().resolve(row.<String>getAs("path")));
    assertThat(row.<String>getAs("path"))
        .isEqualTo(
            "images/%s/%s.png"
                .formatted(
                    row.<String>getAs("image_id").substring(0, 2), row.<String>getAs("image_id")));
    assertThat(row.<Long>getAs("bytes")).isEqualTo(stored.length);
    assertThat(row.<String>getAs("sha256")).isEqualTo(DigestUtils.sha256Hex(stored));
    assertThat(row.<String>getAs("sku")).isEqualTo("R1");
    assertThat(row.<Integer>getAs("width")).isEqualTo(64);
    assertThat(row.<Long>getAs("seed")).isEqualTo(5);
    assertThat(row.<String>getAs("device")).isEqualTo("cpu");
    assertThat(row.<Double>getAs("generate_ms")).isPositive();
    assertThat(result.engineSeconds())
        .isEqualTo(
            rows(result).stream().mapToDouble(r -> r.<Double>getAs("generate_ms")).sum() / 1000,
            within(1e-9));
    assertThat(imageFiles()).hasSize(2);
    assertThat(studio.loads).hasValue(1);
    assertThat(studio.closes).hasValue(1);
  }

  @Test
  void manifestHasPassthroughColumnsWithTheirTypesThenItsOwn() {
    String table = directory.resolve("typed").toString();
    TestSpark.session()
        .sql(
            "select 'a mug' prompt, cast(1.50 as decimal(9,2)) price, timestamp'2026-01-02 03:04:05'"
                + " since, array('x','y') tags, named_struct('k', 1L) nested, map('m', 2) counts,"
                + " cast(null as date) until, 48.0D width")
        .write()
        .parquet(table);

    ImageGeneration.Result result = new TestJob(Path.of(table), output()).run(studio);

    assertThat(result.manifest().columns())
        .startsWith("price", "since", "tags", "nested", "counts", "until", "image_id", "id")
        .endsWith(Manifest.COLUMNS.fieldNames());
    assertThat(result.manifest().schema().apply("price").dataType())
        .isEqualTo(DataTypes.createDecimalType(9, 2));
    assertThat(
            result
                .manifest()
                .selectExpr(
                    "price = 1.50 and since = timestamp'2026-01-02 03:04:05' and tags[1] = 'y' and"
                        + " nested.k = 1 and counts['m'] = 2 and until is null and width = 48")
                .collectAsList()
                .get(0)
                .getBoolean(0))
        .isTrue();
  }

  @Test
  void badRowsBecomeManifestRows() throws IOException {
    ImageGeneration.Result result =
        job(
                "id,prompt,width,sku",
                "1,a mug,,A",
                "2,,,B",
                "3,a mug,33,C",
                "4,a red, unquoted mug,,D")
            .run(studio);

    assertThat(result.statuses()).isEqualTo(Map.of("generated", 1L, "invalid", 3L));
    List<Row> rows = rows(result).stream().filter(r -> r.getAs("error_code") != null).toList();
    assertThat(rows)
        .extracting(r -> r.<String>getAs("error_code"))
        .containsExactlyInAnyOrder("PROMPT_MISSING", "SIZE_INVALID", "VALUE_INVALID");
    assertThat(rows)
        .allSatisfy(row -> assertThat(row.<String>getAs("path")).isNull())
        .extracting(row -> row.<String>getAs("error_message"))
        .anySatisfy(message -> assertThat(message).contains("4,a red, unquoted mug,,D"));
  }

  @Test
  void everyImageIsDrawnOnceInWholeBatches() throws IOException {
    ImageGeneration.Result result = job(manyRows(41)).run(studio);

    assertThat(result.statuses()).isEqualTo(Map.of("generated", 41L));
    assertThat(studio.batches.stream().mapToInt(List::size).sum()).isEqualTo(41);
    assertThat(studio.batches).extracting(List::size).filteredOn(size -> size < 4).hasSize(1);
  }

  @Test
  void batchesDoNotDependOnPartitions() throws IOException {
    TestJob job = job(manyRows(41));
    job.partitions(1).run(studio);
    PaintStudio other = new PaintStudio();
    job.partitions(5).runId("second").force().run(other);

    assertThat(other.batches).containsExactlyInAnyOrderElementsOf(studio.batches);
  }

  @Test
  void laterRunDrawsOnlyWhatIsNotThere() throws IOException {
    ImageGeneration.Result first = job("id,prompt", "1,a mug", "2,a jug").run(studio);
    PaintStudio other = new PaintStudio();
    ImageGeneration.Result second =
        job("id,prompt", "1,a mug", "2,a red jug", "3,a cup").runId("second").run(other);

    assertThat(second.statuses()).isEqualTo(Map.of("generated", 2L, "reused", 1L));
    Row drawn = rows(first).get(0);
    Row reused = rows(second).get(0);
    for (String column : List.of("image_id", "path", "bytes", "sha256", "format")) {
      assertThat(reused.<Object>getAs(column)).isEqualTo(drawn.getAs(column));
    }
    assertThat(reused.<String>getAs("run_id")).isEqualTo("second");
    assertThat(prompts(other)).containsExactlyInAnyOrder("a red jug", "a cup");

    PaintStudio third = new PaintStudio();
    assertThat(job("id,prompt", "1,a mug").runId("third").run(third).statuses())
        .isEqualTo(Map.of("reused", 1L));
    assertThat(third.loads).hasValue(0);
  }

  @Test
  void forceDrawsEverythingAgain() throws IOException {
    TestJob job = job("id,prompt", "1,a mug");
    job.run(studio);

    assertThat(job.runId("second").force().run(studio).statuses())
        .isEqualTo(Map.of("generated", 1L));
  }

  @Test
  void failedAndInvalidRowsAreTriedAgain() throws IOException {
    studio.failing(
        batch -> {
          throw new IllegalStateException("engine is down");
        });
    TestJob job = job("id,prompt,width", "1,a mug,", "2,a jug,33");
    assertThat(job.run(studio).statuses()).isEqualTo(Map.of("failed", 1L, "invalid", 1L));

    PaintStudio mended = new PaintStudio();
    assertThat(job.runId("second").run(mended).statuses())
        .isEqualTo(Map.of("generated", 1L, "invalid", 1L));
  }

  @Test
  void pathThatAnotherImageTookIsNotReused() throws IOException {
    job("id,prompt,sku", "1,a mug,A").pathTemplate("{sku}").run(studio);
    job("id,prompt,sku", "1,a jug,A").pathTemplate("{sku}").runId("second").run(studio);
    ImageGeneration.Result third =
        job("id,prompt,sku", "1,a mug,A").pathTemplate("{sku}").runId("third").run(studio);

    assertThat(third.statuses()).isEqualTo(Map.of("generated", 1L));
    assertThat(imageFiles()).containsExactly(output().resolve("images/A.png"));
  }

  @Test
  void rowsOfTheSameImageShareOneDrawing() throws IOException {
    ImageGeneration.Result result =
        job("id,prompt,seed", "1,mug,5", "2,mug,5", "3,jug,5").run(studio);

    assertThat(result.statuses()).isEqualTo(Map.of("generated", 2L, "reused", 1L));
    assertThat(prompts(studio)).containsExactlyInAnyOrder("mug", "jug");
    List<Row> rows = rows(result);
    assertThat(rows.get(1).<String>getAs("sha256")).isEqualTo(rows.get(0).getAs("sha256"));
  }

  @Test
  void templatesMayNameColumnsThatLightmillReads() throws IOException {
    job("sku,caption", "A,mug", "B,jug")
        .column("id", "sku")
        .column("prompt", "caption")
        .pathTemplate("{sku}/{caption}-{id}-{prompt}")
        .run(studio);

    assertThat(imageFiles())
        .containsExactlyInAnyOrder(
            output().resolve("images/A/mug-A-mug.png"), output().resolve("images/B/jug-B-jug.png"));
  }

  @Test
  void promptTemplatesMayNameColumnsThatLightmillReads() throws IOException {
    job("sku,color", "A,red").column("id", "sku").promptTemplate("{color} {sku}").run(studio);

    assertThat(prompts(studio)).containsExactly("red A");
  }

  @Test
  void rowsOfTheSameImageKeepTheNamesTheyChose() throws IOException {
    ImageGeneration.Result result =
        job("id,prompt,seed,sku", "1,mug,5,A/1", "2,mug,5,B").pathTemplate("{sku}").run(studio);

    assertThat(result.statuses()).isEqualTo(Map.of("generated", 2L));
    assertThat(prompts(studio)).containsExactly("mug");
    assertThat(imageFiles())
        .containsExactlyInAnyOrder(
            output().resolve("images/A_1.png"), output().resolve("images/B.png"));
  }

  @Test
  void failedImageCostsNoOtherOfItsBatch() throws IOException {
    studio.failing(
        batch -> {
          if (batch.stream().anyMatch(request -> request.prompt().equals("mug 2"))) {
            throw new IllegalStateException("no such mug");
          }
        });

    ImageGeneration.Result result = job(manyRows(8)).run(studio);

    assertThat(result.statuses()).isEqualTo(Map.of("generated", 7L, "failed", 1L));
    Row failed = result.manifest().filter("status = 'failed'").collectAsList().get(0);
    assertThat(failed.<String>getAs("id")).isEqualTo("2");
    assertThat(failed.<String>getAs("error_code")).isEqualTo("GENERATION_FAILED");
    assertThat(failed.<String>getAs("error_message")).contains("no such mug");
    assertThat(failed.<String>getAs("path")).isNull();
  }

  @Test
  void batchThatFailsOnceLosesNothing() throws IOException {
    AtomicInteger calls = new AtomicInteger();
    studio.failing(
        batch -> {
          if (calls.incrementAndGet() == 3) {
            throw new IllegalStateException("third call");
          }
        });

    assertThat(job(manyRows(20)).run(studio).statuses()).isEqualTo(Map.of("generated", 20L));
    assertThat(calls).hasValue(5 + 4);
  }

  @Test
  void imageThatCannotBeStoredIsAFailedRow() throws IOException {
    Files.createDirectories(output().resolve("images"));
    Files.writeString(output().resolve("images/A"), "a file where a directory should be");

    ImageGeneration.Result result =
        job("id,prompt,sku", "1,a mug,A", "2,a jug,B").pathTemplate("{sku}/{id}").run(studio);

    assertThat(result.statuses()).isEqualTo(Map.of("generated", 1L, "failed", 1L));
    Row failed = rows(result).get(0);
    assertThat(failed.<String>getAs("error_code")).isEqualTo("STORE_FAILED");
    assertThat(failed.<String>getAs("error_message")).contains("images/A/1.png");
    assertThat(failed.<Double>getAs("generate_ms")).isPositive();
  }

  @Test
  void receiptOfAnImageIsItsIdentity() throws IOException {
    Row row = rows(job("id,prompt", "1,a mug").run(studio)).get(0);

    byte[] stored = Files.readAllBytes(output().resolve(row.<String>getAs("path")));

    assertThat(ImageIdentity.imageId(ImageReceiptReader.identity(stored).orElseThrow()))
        .isEqualTo(row.getAs("image_id"));
  }

  @Test
  void collidingPathsAreRefusedBeforeAnythingIsDrawn() throws IOException {
    assertRefused(
        job("id,prompt,sku", "1,a mug,A", "2,a jug,A", "3,a cup,B").pathTemplate("{sku}"),
        studio,
        ErrorCode.CONFIGURATION_INVALID,
        "'images/A.png' (images ",
        "add {image_id}");
    assertThat(output().resolve("images")).doesNotExist();
  }

  @Test
  void tablesAndSettingsThatCannotServeAreRefusedBeforeAnythingIsLoaded() throws IOException {
    assertRefused(job("id,prompt"), studio, ErrorCode.INPUT_INVALID, "no rows");
    assertRefused(job("id,prompt", "1,a", "1,b"), studio, ErrorCode.ID_DUPLICATE, "'1' (2 rows)");
    assertRefused(
        job("id,caption", "1,a"), studio, ErrorCode.INPUT_INVALID, "--column prompt=caption");
    assertRefused(
        job("id,prompt,path", "1,a,b"),
        studio,
        ErrorCode.INPUT_INVALID,
        "column 'path' of the prompt table clashes");
    assertRefused(
        job("id,prompt", "1,a").width(33),
        studio,
        ErrorCode.CONFIGURATION_INVALID,
        "defaults of the job: width 33");
    assertRefused(
        job("id,prompt", "1,a").pathTemplate("{sku}"),
        studio,
        ErrorCode.CONFIGURATION_INVALID,
        "names {sku}, which no row has");
  }

  @Test
  void runIdIsUsedOnce() throws IOException {
    TestJob job = job("id,prompt", "1,a mug");
    job.run(studio);

    assertRefused(
        job.force(),
        new PaintStudio(),
        ErrorCode.CONFIGURATION_INVALID,
        "run id 'first' is taken",
        "choose another");
  }

  @Test
  void outputThatCannotBeWrittenIsRefused() throws IOException {
    Files.writeString(output(), "a file");

    assertRefused(
        job("id,prompt", "1,a mug"), studio, ErrorCode.OUTPUT_UNWRITABLE, output().toString());
  }

  @Test
  void checkpointThatCannotBeLoadedFailsTheJobWithItsOwnWords() throws IOException {
    PaintStudio broken = new PaintStudio().unloadable();

    assertThatThrownBy(() -> job("id,prompt", "1,a mug").run(broken))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.WEIGHTS_INVALID))
        .hasMessage("no weights in this studio");
    assertThat(output().resolve("manifest/run_id=first/_SUCCESS")).doesNotExist();
  }

  @Test
  void progressTellsThePlanAndRisesToTheEnd() throws IOException {
    List<Long> finished = new CopyOnWriteArrayList<>();
    List<List<Long>> planned = new ArrayList<>();
    ImageGeneration.Progress progress =
        new ImageGeneration.Progress() {
          @Override
          public void planned(long images, long toGenerate) {
            planned.add(List.of(images, toGenerate));
          }

          @Override
          public void finished(long images) {
            finished.add(images);
          }
        };

    job("id,prompt", "1,a mug", "2,a jug", "3,").progress(progress).run(studio);

    assertThat(planned).containsExactly(List.of(3L, 2L));
    assertThat(finished).isSorted().endsWith(3L);
  }

  @Test
  void limitAndTemplateAndTruncationReachTheEngine() throws IOException {
    job("id,color,name", "1,red,one two three four five six seven eight", "2,blue,mug")
        .promptTemplate("a {color} {name}")
        .truncatingPrompts()
        .limit(1)
        .run(studio);

    assertThat(prompts(studio)).containsExactly("a red one two three four five six seven eight");
  }

  private static List<String> prompts(PaintStudio studio) {
    return studio.batches.stream().flatMap(List::stream).map(ImageRequest::prompt).toList();
  }
}
