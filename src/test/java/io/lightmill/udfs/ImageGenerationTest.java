package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.image.ImageReceiptReader;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.plan.ImageIdentity;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageGenerationTest {

  @TempDir Path directory;

  private final SolidColorPipeline pipeline = new SolidColorPipeline();

  private Path output() {
    return directory.resolve("out");
  }

  private TestJob job(String... lines) throws IOException {
    return job(List.of(lines));
  }

  private TestJob job(List<String> lines) throws IOException {
    return TestJob.in(directory, lines);
  }

  private static List<Row> rows(RunResult result) {
    return result.manifest().orderBy("id", "variant").collectAsList();
  }

  private List<Path> imageFiles() throws IOException {
    try (Stream<Path> files = Files.walk(output().resolve("images"))) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  @Test
  void everyImageIsDrawnStoredAndAccountedFor() throws IOException {
    RunResult result =
        job("id,prompt,width,seed,sku", "1,a red mug,64,5,R1", "2,a blue mug,,,B2").run(pipeline);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 2L));
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
    assertThat(result.record().seconds().engine())
        .isEqualTo(
            rows(result).stream().mapToDouble(r -> r.<Double>getAs("generate_ms")).sum() / 1000,
            within(1e-9));
    assertThat(imageFiles()).hasSize(2);
    assertThat(pipeline.loads).hasValue(1);
    assertThat(pipeline.closes).hasValue(1);
  }

  @Test
  void manifestHasPassthroughColumnsWithTheirTypesThenItsOwn() {
    String table = directory.resolve("typed").toString();
    TestSpark.session()
        .sql(
            "select 'a mug' prompt, cast(1.50 as decimal(9,2)) price, timestamp'2026-01-02"
                + " 03:04:05' since, array('x','y') tags, named_struct('k', 1L) nested, map('m', 2)"
                + " counts, cast(null as date) until, 48.0D width")
        .write()
        .parquet(table);

    RunResult result = new TestJob(Path.of(table), output()).run(pipeline);

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
    RunResult result =
        job(
                "id,prompt,width,sku",
                "1,a mug,,A",
                "2,,,B",
                "3,a mug,33,C",
                "4,a red, unquoted mug,,D")
            .run(pipeline);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 1L, "invalid", 3L));
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
    RunResult result = job(TestJob.rows(41)).batchSize(4).run(pipeline);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 41L));
    assertThat(pipeline.batches.stream().mapToInt(List::size).sum()).isEqualTo(41);
    assertThat(pipeline.batches).extracting(List::size).filteredOn(size -> size < 4).hasSize(1);
  }

  @Test
  void onCpusEveryImageIsDrawnAloneAndAsManyAtOnceAsThereAreCores() throws IOException {
    int atOnce = Math.min(2, Runtime.getRuntime().availableProcessors());
    CyclicBarrier meeting = new CyclicBarrier(atOnce); // passes only if so many draw at once
    pipeline.failing(
        image -> {
          try {
            meeting.await(1, TimeUnit.MINUTES);
          } catch (InterruptedException | BrokenBarrierException | TimeoutException e) {
            throw new IllegalStateException("it draws alone", e);
          }
        });

    RunResult result = job(TestJob.rows(8)).partitions(2).run(pipeline);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 8L));
    assertThat(pipeline.batches).hasSize(8).allSatisfy(batch -> assertThat(batch).hasSize(1));
    assertThat(pipeline.loads).hasValue(1);
  }

  @Test
  void batchesDoNotDependOnPartitions() throws IOException {
    TestJob job = job(TestJob.rows(41)).batchSize(4);
    job.partitions(1).run(pipeline);
    SolidColorPipeline other = new SolidColorPipeline();
    job.partitions(5).runId("second").force().run(other);

    assertThat(other.batches).containsExactlyInAnyOrderElementsOf(pipeline.batches);
  }

  @Test
  void templatesMayNameColumnsThatLightmillReads() throws IOException {
    job("sku,caption", "A,mug", "B,jug")
        .column("id", "sku")
        .column("prompt", "caption")
        .pathTemplate("{sku}/{caption}-{id}-{prompt}")
        .run(pipeline);

    assertThat(imageFiles())
        .containsExactlyInAnyOrder(
            output().resolve("images/A/mug-A-mug.png"), output().resolve("images/B/jug-B-jug.png"));
  }

  @Test
  void promptTemplatesMayNameColumnsThatLightmillReads() throws IOException {
    job("sku,color", "A,red").column("id", "sku").promptTemplate("{color} {sku}").run(pipeline);

    assertThat(prompts(pipeline)).containsExactly("red A");
  }

  @Test
  void failedImageCostsNoOtherOfItsBatch() throws IOException {
    pipeline.failing(
        batch -> {
          if (batch.stream().anyMatch(request -> request.prompt().equals("mug 2"))) {
            throw new IllegalStateException("no such mug");
          }
        });

    RunResult result = job(TestJob.rows(8)).run(pipeline);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 7L, "failed", 1L));
    Row failed = result.manifest().filter("status = 'failed'").collectAsList().get(0);
    assertThat(failed.<String>getAs("id")).isEqualTo("2");
    assertThat(failed.<String>getAs("error_code")).isEqualTo("GENERATION_FAILED");
    assertThat(failed.<String>getAs("error_message")).contains("no such mug");
    assertThat(failed.<String>getAs("path")).isNull();
  }

  @Test
  void imagesOfASingleColourAreMarkedAndCounted() throws IOException {
    RunResult result = job(TestJob.rows(3)).run(pipeline); // it draws no others

    assertThat(rows(result)).allSatisfy(row -> assertThat(row.<Boolean>getAs("blank")).isTrue());
    assertThat(result.summary().blank()).isEqualTo(3);
    assertThat(result.record().blankImages()).isEqualTo(3);

    RunResult again = job(TestJob.rows(3)).runId("second").run(pipeline);

    assertThat(again.summary().labelled()).isEqualTo(Map.of("reused", 3L));
    assertThat(again.summary().blank()).isEqualTo(3);
  }

  /** In local mode no other process can draw them. */
  @Test
  void imagesOfABrokenDeviceStayPendingAndTheNextRunDrawsThem() throws IOException {
    AtomicInteger calls = new AtomicInteger();
    pipeline.failing(
        batch -> {
          if (calls.incrementAndGet() == 3) {
            pipeline.breakDevice();
          }
        });

    RunResult result = job(TestJob.rows(20)).batchSize(4).partitions(1).run(pipeline);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 8L, "pending", 12L));
    assertThat(calls).hasValue(3);

    pipeline.repairDevice();
    RunResult next = job(TestJob.rows(20)).batchSize(4).runId("second").run(pipeline);

    assertThat(next.summary().labelled()).isEqualTo(Map.of("generated", 12L, "reused", 8L));
  }

  @Test
  void batchThatFailsOnceLosesNothing() throws IOException {
    AtomicInteger calls = new AtomicInteger();
    pipeline.failing(
        batch -> {
          if (calls.incrementAndGet() == 3) {
            throw new IllegalStateException("third call");
          }
        });

    assertThat(job(TestJob.rows(20)).batchSize(4).run(pipeline).summary().labelled())
        .isEqualTo(Map.of("generated", 20L));
    assertThat(calls).hasValue(5 + 4);
  }

  @Test
  void imageThatCannotBeStoredIsAFailedRow() throws IOException {
    Files.createDirectories(output().resolve("images"));
    Files.writeString(output().resolve("images/A"), "a file where a directory should be");

    RunResult result =
        job("id,prompt,sku", "1,a mug,A", "2,a jug,B").pathTemplate("{sku}/{id}").run(pipeline);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 1L, "failed", 1L));
    Row failed = rows(result).get(0);
    assertThat(failed.<String>getAs("error_code")).isEqualTo("STORE_FAILED");
    assertThat(failed.<String>getAs("error_message")).contains("images/A/1.png");
    assertThat(failed.<Double>getAs("generate_ms")).isPositive();
  }

  @Test
  void receiptOfAnImageIsItsIdentity() throws IOException {
    Row row = rows(job("id,prompt", "1,a mug").run(pipeline)).get(0);

    byte[] stored = Files.readAllBytes(output().resolve(row.<String>getAs("path")));

    assertThat(ImageIdentity.imageId(ImageReceiptReader.identity(stored).orElseThrow()))
        .isEqualTo(row.getAs("image_id"));
  }

  @Test
  void progressTellsThePlanAndCountsWhatIsDrawn() throws IOException {
    List<Long> finished = new CopyOnWriteArrayList<>();
    List<List<Long>> planned = new ArrayList<>();
    RunListener progress =
        new RunListener() {
          @Override
          public void planned(long images, long toGenerate) {
            planned.add(List.of(images, toGenerate));
          }

          @Override
          public void finished(long images) {
            finished.add(images);
          }
        };

    job("id,prompt", "1,a mug", "2,a jug", "3,").progress(progress).run(pipeline);

    assertThat(planned).containsExactly(List.of(3L, 2L));
    assertThat(finished).isSorted().endsWith(2L);
  }

  @Test
  void limitAndTemplateAndTruncationReachTheEngine() throws IOException {
    job("id,color,name", "1,red,one two three four five six seven eight", "2,blue,mug")
        .promptTemplate("a {color} {name}")
        .truncatingPrompts()
        .limit(1)
        .run(pipeline);

    assertThat(prompts(pipeline)).containsExactly("a red one two three four five six seven eight");
  }

  @Test
  void twoRunsOverTwoOutputsAtOnceInOneSessionKeepApart() throws Exception {
    SolidColorPipeline other = new SolidColorPipeline();
    CyclicBarrier planned = new CyclicBarrier(2);
    TestJob first =
        TestJob.in(Files.createDirectory(directory.resolve("a")), List.of(TestJob.rows(4)));
    TestJob second =
        TestJob.in(Files.createDirectory(directory.resolve("b")), List.of(TestJob.rows(5)));

    CompletableFuture<RunResult> result =
        CompletableFuture.supplyAsync(() -> first.progress(waiting(planned)).run(pipeline));
    RunResult twin = second.runId("second").progress(waiting(planned)).run(other);

    assertThat(twin.summary().labelled()).isEqualTo(Map.of("generated", 5L));
    assertThat(result.get().summary().labelled()).isEqualTo(Map.of("generated", 4L));
    assertThat(result.get().manifest().select("run_id").distinct().collectAsList())
        .extracting(row -> row.getString(0))
        .containsExactly("first");
  }

  /** Goes on when as many runs have their plans as the barrier has parties. */
  private static RunListener waiting(CyclicBarrier barrier) {
    return new RunListener() {
      @Override
      public void planned(long images, long toGenerate) {
        try {
          barrier.await(1, TimeUnit.MINUTES);
        } catch (Exception e) {
          throw new IllegalStateException("the other run has no plan", e);
        }
      }

      @Override
      public void finished(long images) {}
    };
  }

  private static List<String> prompts(SolidColorPipeline pipeline) {
    return pipeline.batches.stream().flatMap(List::stream).map(ImageRequest::prompt).toList();
  }
}
