package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.lock.RunLock;
import io.lightmill.udfs.run.RunResult;
import io.lightmill.udfs.store.ImageStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A second run over an output: what the first one left is found, and nothing is paid for twice. */
class RerunTest {

  @TempDir Path directory;

  private final SolidColorPipeline first = new SolidColorPipeline();
  private final SolidColorPipeline second = new SolidColorPipeline();

  private Path output() {
    return directory.resolve("out");
  }

  private TestJob job(String... lines) throws IOException {
    return TestJob.in(directory, List.of(lines));
  }

  private Map<String, Path> files(RunResult result) {
    return result.manifest().collectAsList().stream()
        .collect(
            Collectors.toMap(
                row -> row.getAs("id"), row -> output().resolve(row.<String>getAs("path"))));
  }

  /** As after a kill of the driver: images are there, and what was begun of a manifest. */
  private void loseManifest(String runId) throws IOException {
    Path manifest = output().resolve("manifest/run_id=" + runId);
    Files.delete(manifest.resolve("_SUCCESS"));
  }

  @Test
  void imagesOfARunThatWasKilledAreFoundByTheirReceipts() throws IOException {
    TestJob job = job("id,prompt", "1,a mug", "2,a jug", "3,a cup");
    Map<String, Path> files = files(job.run(first));
    loseManifest("first");

    RunResult result = job.runId("second").run(second);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("reused", 3L));
    assertThat(second.loads).hasValue(0);
    assertThat(files(result)).isEqualTo(files);
    for (Row row : result.manifest().collectAsList()) {
      byte[] stored = Files.readAllBytes(files.get(row.<String>getAs("id")));
      assertThat(row.<String>getAs("sha256")).isEqualTo(DigestUtils.sha256Hex(stored));
      assertThat(row.<Long>getAs("bytes")).isEqualTo(stored.length);
    }
  }

  @Test
  void whatIsGoneOrDamagedOrAnotherImageIsDrawnAgain() throws IOException {
    TestJob job = job("id,prompt", "1,a mug", "2,a jug", "3,a cup", "4,a pot");
    Map<String, Path> files = files(job.run(first));
    Files.delete(files.get("1"));
    byte[] whole = Files.readAllBytes(files.get("2"));
    Files.write(files.get("2"), Arrays.copyOf(whole, whole.length / 2));
    Files.copy(files.get("4"), files.get("3"), StandardCopyOption.REPLACE_EXISTING);
    Files.write(files.get("3"), new byte[] {0}, StandardOpenOption.APPEND);

    RunResult result = job.runId("second").run(second);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 3L, "reused", 1L));
    assertThat(second.drawn()).isEqualTo(3);
    for (Row row : result.manifest().collectAsList()) {
      byte[] stored = Files.readAllBytes(files.get(row.<String>getAs("id")));
      assertThat(row.<String>getAs("sha256")).isEqualTo(DigestUtils.sha256Hex(stored));
    }
    assertThat(Files.readAllBytes(files.get("2"))).isEqualTo(whole);
  }

  @Test
  void anImageThatAKilledRunReplacedIsNotTakenForTheOneBefore() throws IOException {
    job("id,prompt,sku", "1,a mug,A").pathTemplate("{sku}").run(first);
    job("id,prompt,sku", "1,a jug,A").pathTemplate("{sku}").runId("killed").run(first);
    loseManifest("killed");

    RunResult back =
        job("id,prompt,sku", "1,a jug,A").pathTemplate("{sku}").runId("third").run(second);
    assertThat(back.summary().labelled()).isEqualTo(Map.of("reused", 1L));

    SolidColorPipeline other = new SolidColorPipeline();
    RunResult forth =
        job("id,prompt,sku", "1,a mug,A").pathTemplate("{sku}").runId("fourth").run(other);
    assertThat(forth.summary().labelled()).isEqualTo(Map.of("generated", 1L));
  }

  @Test
  void theNameOfARunThatWasKilledMayBeUsedAgain() throws IOException {
    TestJob job = job("id,prompt", "1,a mug", "2,a jug");
    job.run(first);
    loseManifest("first");

    RunResult result = job.run(second);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("reused", 2L));
    assertThat(result.manifest().count()).isEqualTo(2);
  }

  @Test
  void aTableMayHaveGrownAndShrunkAndChanged() throws IOException {
    job(table(0, 40)).run(first);
    String[] lines = table(10, 60);
    lines[1] = "10,another mug";

    RunResult result = job(lines).runId("second").run(second);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", 21L, "reused", 29L));
    assertThat(second.drawn()).isEqualTo(21);
    assertThat(result.manifest().select("id").distinct().count()).isEqualTo(50);
  }

  private static String[] table(int from, int to) {
    return Stream.concat(
            Stream.of("id,prompt"), IntStream.range(from, to).mapToObj(i -> i + ",mug " + i))
        .toArray(String[]::new);
  }

  @Test
  void whatFailedStaysSoOnlyIfAskedTo() throws IOException {
    first.failing(
        batch -> {
          throw new IllegalStateException("engine is down");
        });
    TestJob job = job("id,prompt", "1,a mug");
    job.run(first);

    RunResult left = job.runId("second").leavingFailed().run(second);

    assertThat(left.summary().labelled()).isEqualTo(Map.of("failed", 1L));
    assertThat(second.loads).hasValue(0);
    assertThat(left.manifest().first().<String>getAs("error_message")).contains("engine is down");
  }

  @Test
  void aRunThatHoldsTheOutputKeepsOthersAway() throws IOException {
    ImageStore store = ImageStore.open(output().toString(), new Configuration(false));
    try (RunLock lock = RunLock.take(store, "out", "other", Clock.systemUTC())) {
      assertThatThrownBy(() -> job("id,prompt", "1,a mug").run(first))
          .isInstanceOfSatisfying(
              LightmillException.class,
              e -> assertThat(e.code()).isEqualTo(ErrorCode.OUTPUT_IN_USE))
          .hasMessageContaining("run 'other'");
      assertThat(lock.holds()).isTrue();
    }
    assertThat(first.loads).hasValue(0);
    assertThat(output()).doesNotExist();
  }

  /** The clock of one driver is three minutes ahead of that of the other, or behind it. */
  @ParameterizedTest
  @CsvSource({"0,3", "0,-3", "3,0", "-3,0"})
  void driversWhoseClocksDifferExcludeEachOther(int holder, int other) throws IOException {
    ImageStore store = ImageStore.open(output().toString(), new Configuration(false));
    Clock ofHolder = Clock.offset(Clock.systemUTC(), Duration.ofMinutes(holder));
    Clock ofStore = store.probeWritable(ofHolder).clock(ofHolder);
    try (RunLock lock = RunLock.take(store, "out", "other", ofStore)) {
      TestJob job =
          job("id,prompt", "1,a mug")
              .clock(Clock.offset(Clock.systemUTC(), Duration.ofMinutes(other)));
      assertThatThrownBy(() -> job.run(first)).hasMessageContaining("is in use: run 'other'");
      assertThat(lock.holds()).isTrue();
    }
  }

  @Test
  void aRunThatLostItsLockCommitsNothing() throws IOException {
    HandClock clock = new HandClock(Instant.parse("2026-03-04T12:00:00Z"));
    ImageStore store = ImageStore.open(output().toString(), new Configuration(false));
    Clock ofStore = store.probeWritable(clock).clock(clock);
    first.failing(
        batch -> { // the host slept meanwhile, and another run came
          clock.advance(Duration.ofHours(1));
          RunLock.take(store, "out", "other", ofStore);
        });
    TestJob job = job("id,prompt", "1,a mug").clock(clock);

    assertThatThrownBy(() -> job.run(first))
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.OUTPUT_IN_USE))
        .hasMessageContaining("was taken over by another run");
    assertThat(output().resolve("manifest/run_id=first")).doesNotExist();
    assertThat(store.listing().objects(RunLock.DIRECTORY)).hasSize(1);
  }
}
