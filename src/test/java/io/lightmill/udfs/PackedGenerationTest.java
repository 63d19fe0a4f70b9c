package io.lightmill.udfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.lightmill.udfs.lock.RunLock;
import io.lightmill.udfs.run.RunResult;
import io.lightmill.udfs.shard.ShardFormat;
import io.lightmill.udfs.store.ImageStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs whose images are packed into shards, on the local disk. */
class PackedGenerationTest {

  @TempDir Path directory;

  private final SolidColorPipeline first = new SolidColorPipeline();
  private final SolidColorPipeline second = new SolidColorPipeline();
  private ImageStore store;
  private PackedImages images;

  @BeforeEach
  void open() {
    store = ImageStore.open(output().toString(), new Configuration(false));
    images = new PackedImages(store, output().toString());
  }

  private Path output() {
    return directory.resolve("out");
  }

  private TestJob job(String... lines) throws IOException {
    return TestJob.in(directory, List.of(lines)).batchSize(2).partitions(1);
  }

  private static long shards(RunResult result) {
    return result.manifest().select("path").distinct().count();
  }

  @ParameterizedTest
  @EnumSource
  void everyImageStandsInAShardAndARerunFindsItThere(ShardFormat format) throws IOException {
    TestJob job = job(TestJob.rows(11)).packed(format, 3).partitions(2);

    RunResult result = job.run(first);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 11L));
    assertThat(shards(result)).isGreaterThanOrEqualTo(4);
    images.assertThere(result);
    images.assertNothingElse(result);
    assertThat(output().resolve("staged")).doesNotExist();
    assertThat(output().resolve("images")).doesNotExist();

    RunResult again = job.runId("second").run(second);

    assertThat(again.summary().labelled()).isEqualTo(Map.of("reused", 11L));
    assertThat(second.loads).hasValue(0);
    images.assertThere(again);
    images.assertNothingElse(result);
    String[] place = {"id", "path", "member", "member_offset", "shard_bytes", "sha256"};
    assertThat(again.manifest().selectExpr(place).orderBy("id").collectAsList())
        .isEqualTo(result.manifest().selectExpr(place).orderBy("id").collectAsList());
  }

  @Test
  void aSampleHasItsPromptAndItsRowAndTheIndexCountsThem() throws IOException {
    RunResult result =
        job("sku,prompt,seed,price", "A.1,a mug,5,1.50", "B,a jug,6,", "C,a mug,5,2")
            .column("id", "sku")
            .pathTemplate("{sku}/{sku}.{variant}")
            .packed(ShardFormat.WEBDATASET, 10)
            .run(first);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 3L));
    images.assertThere(result);
    Row row = result.manifest().filter("id = 'A.1'").first();
    Map<String, byte[]> files =
        PackedImages.files(Files.readAllBytes(output().resolve(row.<String>getAs("path"))));
    assertThat(files.keySet())
        .containsExactlyInAnyOrder(
            "A_1/A_1_0.png",
            "A_1/A_1_0.txt",
            "A_1/A_1_0.json",
            "B/B_0.png",
            "B/B_0.txt",
            "B/B_0.json",
            "C/C_0.png",
            "C/C_0.txt",
            "C/C_0.json");
    assertThat(files.get("A_1/A_1_0.txt")).asString(UTF_8).isEqualTo("a mug");
    JsonNode json = new ObjectMapper().readTree(files.get("A_1/A_1_0.json"));
    assertThat(json.path("price").asText()).isEqualTo("1.50");
    assertThat(json.path("id").asText()).isEqualTo("A.1");
    assertThat(json.path("image_id").asText()).isEqualTo(row.getAs("image_id"));
    assertThat(json.path("seed").asLong()).isEqualTo(5);
    assertThat(json.has("created_at")).isFalse();

    JsonNode index =
        new ObjectMapper().readTree(output().resolve("shards/run_id=first/index.json").toFile());
    assertThat(index.path("__kind__").asText()).isEqualTo("wids-shard-index-v1");
    assertThat(index.at("/shardlist/0/nsamples").asLong()).isEqualTo(3);
    assertThat("shards/run_id=first/" + index.at("/shardlist/0/url").asText())
        .isEqualTo(row.getAs("path"));
  }

  @Test
  void rowsOfTheSameImageAndNameShareOneMember() throws IOException {
    RunResult result =
        job("id,prompt,seed", "1,mug,5", "2,mug,5", "3,jug,5", "4,")
            .packed(ShardFormat.PARQUET, 1)
            .run(first);

    assertThat(result.summary().labelled())
        .isEqualTo(Map.of("generated", 2L, "reused", 1L, "invalid", 1L));
    images.assertThere(result);
    images.assertNothingElse(result);
    assertThat(
            result
                .manifest()
                .filter("id in ('1', '2')")
                .select("path", "member")
                .distinct()
                .count())
        .isEqualTo(1);
  }

  /** Draws some batches and then dies, in the middle of a partition and of a shard. */
  private RunResult killedAndRunAgain(TestJob job, TestJob after) {
    AtomicInteger batches = new AtomicInteger();
    first.failing(
        batch -> {
          if (batches.incrementAndGet() == 5) {
            throw new AssertionError("killed");
          }
        });
    assertThatThrownBy(() -> job.run(first)).hasStackTraceContaining("killed");
    assertThat(store.listing().objects("staged")).isNotEmpty();
    return after.runId("second").run(second);
  }

  @ParameterizedTest
  @EnumSource
  void whatARunHadStagedThatWasKilledIsPackedAndNotDrawnAgain(ShardFormat format)
      throws IOException {
    TestJob job = job(TestJob.rows(13)).packed(format, 3);

    RunResult result = killedAndRunAgain(job, job);

    long reused = result.summary().labelled().get("reused");
    assertThat(reused).isGreaterThanOrEqualTo(6);
    assertThat(second.drawn()).isEqualTo(13 - (int) reused);
    images.assertThere(result);
    images.assertNothingElse(result);
    assertThat(output().resolve("shards/run_id=first")).doesNotExist();
  }

  @Test
  void whatWasStagedForShardsServesARunThatPacksNothing() throws IOException {
    RunResult result =
        killedAndRunAgain(
            job(TestJob.rows(13)).packed(ShardFormat.WEBDATASET, 3),
            job(TestJob.rows(13)).pathTemplate("{id}"));

    assertThat(second.drawn())
        .isEqualTo(13 - (int) (long) result.summary().labelled().get("reused"));
    assertThat(result.manifest().filter("path like 'images/%' and member is null").count())
        .isEqualTo(13);
    images.assertThere(result);
    images.assertNothingElse();
  }

  @Test
  void aRunThatCouldNotCommitItsManifestIsTakenUpWithoutDrawing() throws IOException {
    HandClock clock = new HandClock(Instant.parse("2026-03-04T12:00:00Z"));
    TestJob job = job(TestJob.rows(7)).packed(ShardFormat.WEBDATASET, 3).clock(clock);
    Clock ofStore = store.probeWritable(clock).clock(clock);
    List<RunLock> others = new CopyOnWriteArrayList<>();
    first.failing(
        batch -> { // the host slept meanwhile, and another run came
          if (others.isEmpty()) {
            clock.advance(Duration.ofHours(1));
            others.add(RunLock.take(store, "out", "other", ofStore));
          }
        });
    assertThatThrownBy(() -> job.run(first)).hasMessageContaining("was taken over");
    others.get(0).close();

    RunResult result = job.run(second);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("reused", 7L));
    assertThat(second.loads).hasValue(0);
    images.assertThere(result);
    images.assertNothingElse(result);
  }

  @Test
  void anImageIsReusedWhereItStandsWhateverTheSink() throws IOException {
    RunResult files = job(TestJob.rows(2)).runId("files").run(first);
    RunResult tar = job(TestJob.rows(4)).packed(ShardFormat.WEBDATASET, 10).runId("tar").run(first);
    RunResult parquet =
        job(TestJob.rows(6)).packed(ShardFormat.PARQUET, 10).runId("parquet").run(first);
    RunResult last = job(TestJob.rows(6)).runId("last").run(second);

    assertThat(files.summary().labelled()).isEqualTo(Map.of("generated", 2L));
    assertThat(tar.summary().labelled()).isEqualTo(Map.of("generated", 2L, "reused", 2L));
    assertThat(parquet.summary().labelled()).isEqualTo(Map.of("generated", 2L, "reused", 4L));
    assertThat(last.summary().labelled()).isEqualTo(Map.of("reused", 6L));
    images.assertThere(last);
    images.assertNothingElse(tar, parquet);
    assertThat(last.manifest().selectExpr("split(path, '[/.]')[0]").distinct().count())
        .isEqualTo(2);
    assertThat(shards(last)).isEqualTo(4);
  }

  @Test
  void theImagesOfAShardThatIsGoneOrCutAreDrawnAgain() throws IOException {
    TestJob job = job(TestJob.rows(4)).packed(ShardFormat.WEBDATASET, 1);
    RunResult result = job.run(first);
    List<String> paths =
        result.manifest().orderBy("id").collectAsList().stream()
            .map(row -> row.<String>getAs("path"))
            .toList();
    Files.delete(output().resolve(paths.get(0)));
    Files.write(output().resolve(paths.get(1)), new byte[512]);

    RunResult again = job.runId("second").run(second);

    assertThat(again.summary().labelled()).isEqualTo(Map.of("generated", 2L, "reused", 2L));
    assertThat(second.drawn()).isEqualTo(2);
    images.assertThere(again);
  }

  @Test
  void whatACrashAfterTheCommitLeftIsTidiedUpByTheNextRun() throws IOException {
    TestJob job = job(TestJob.rows(3)).packed(ShardFormat.WEBDATASET, 10);
    RunResult result = job.run(first);
    Row row = result.manifest().first();
    byte[] image =
        PackedImages.files(store.read(row.getAs("path")).orElseThrow())
            .get(row.<String>getAs("member"));
    String imageId = row.getAs("image_id");
    String staged = "staged/%s/%s.png".formatted(imageId.substring(0, 2), imageId);
    store.put(staged, image, "image/png");
    String wanted = "staged/ab/abcdef0123456789abcdef0123456789.png"; // by nobody yet
    store.put(wanted, image, "image/png");
    store.put("shards/run_id=lost/part-00000-0000-0.tar", new byte[512], "application/x-tar");
    store.put("shards/run_id=first/.half.tmp", new byte[512], "application/x-tar");
    store.delete("shards/run_id=first/index.json");

    RunResult again = job.runId("second").run(second);

    assertThat(again.summary().labelled()).isEqualTo(Map.of("reused", 3L));
    images.assertThere(again);
    assertThat(store.listing().objects("staged"))
        .extracting(object -> object.key())
        .containsExactly(wanted);
    store.delete(wanted);
    store.removal().emptyTree("staged");
    images.assertNothingElse(result);
    assertThat(output().resolve("shards/run_id=first/index.json")).exists();
    assertThat(output().resolve("shards/run_id=lost")).doesNotExist();
  }

  @Test
  void aForcedRunPacksWhatItDrewItself() throws IOException {
    TestJob job = job(TestJob.rows(3)).packed(ShardFormat.WEBDATASET, 10);
    RunResult result = job.run(first);

    RunResult forced = job.runId("second").force().run(second);

    assertThat(forced.summary().labelled()).isEqualTo(Map.of("generated", 3L));
    assertThat(second.drawn()).isEqualTo(3);
    images.assertThere(forced);
    images.assertNothingElse(result, forced);
  }
}
