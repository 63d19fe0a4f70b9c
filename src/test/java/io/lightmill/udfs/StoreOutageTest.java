package io.lightmill.udfs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.s3.FaultyLink;
import io.lightmill.s3.FaultyLink.Call;
import io.lightmill.s3.FaultyLink.Fault;
import io.lightmill.s3.S3Server;
import io.lightmill.udfs.lock.RunLock;
import io.lightmill.udfs.run.GenerationRun;
import io.lightmill.udfs.run.RunResult;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.StoreRetry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs whose store is away for a while, and for good. */
class StoreOutageTest {

  private static final int IMAGES = 4;

  /** More calls than S3A makes for one before it gives up, with the settings below. */
  private static final int FAILING_CALLS = 24;

  /** The first call of an outage. */
  enum Moment implements Predicate<Call> {
    PLANNING {
      @Override
      public boolean test(Call call) {
        return call.method().equals("GET") && call.target().contains("prefix=out%2Fimages");
      }
    },
    DRAWING {
      @Override
      public boolean test(Call call) {
        return call.method().equals("PUT") && call.target().contains("/out/images/");
      }
    },
    COMMIT {
      @Override
      public boolean test(Call call) {
        return call.method().equals("PUT") && call.target().contains("/out/manifest/");
      }
    },
    CURRENT_STATE {
      @Override
      public boolean test(Call call) {
        return call.method().equals("PUT") && call.target().contains("/out/current.parquet");
      }
    }
  }

  private final SolidColorPipeline pipeline = new SolidColorPipeline();
  private final AtomicInteger failed = new AtomicInteger();
  private Configuration hadoop;
  private S3Server s3;
  private FaultyLink link;
  private TestJob job;

  @BeforeEach
  void start() throws Exception {
    s3 = S3Server.start();
    link = new FaultyLink(s3.endpoint());
    hadoop = TestSpark.session().sparkContext().hadoopConfiguration();
    s3.settings(link.endpoint()).forEach(hadoop::set);
    hadoop.set("fs.s3a.bucket." + s3.bucket() + ".attempts.maximum", "1");
    hadoop.set("fs.s3a.bucket." + s3.bucket() + ".retry.limit", "2");
    s3.put("in/prompts.csv", String.join("\n", TestJob.rows(IMAGES)).getBytes(UTF_8));
    job = new TestJob(Path.of("unused"), Path.of("unused")).partitions(1);
    job.table(s3.uri("in/prompts.csv")).output(s3.uri("out"));
  }

  @AfterEach
  void stop() {
    hadoop.unset(StoreRetry.LONGEST_OUTAGE);
    link.close();
    s3.close();
  }

  private void awayFrom(Predicate<Call> first, int calls) {
    link.failing(
        call -> {
          boolean away = failed.get() > 0 || first.test(call);
          return away && failed.incrementAndGet() <= calls ? Fault.DROPPED_BEFORE : Fault.NONE;
        });
  }

  @ParameterizedTest
  @EnumSource
  void aStoreThatIsAwayForAWhileCostsNothing(Moment moment) throws Exception {
    awayFrom(moment, FAILING_CALLS);

    RunResult result = job.run(pipeline);

    assertThat(failed).hasValueGreaterThan(FAILING_CALLS);
    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", (long) IMAGES));
    assertThat(result.problems()).isEmpty();
    assertThat(pipeline.batches.stream().mapToInt(java.util.List::size).sum()).isEqualTo(IMAGES);
    for (Row row : result.manifest().collectAsList()) {
      assertThat(s3.has("out/" + row.<String>getAs("path"))).isTrue();
    }
    assertThat(s3.has("out/manifest/first.parquet")).isTrue();
    assertThat(s3.keys("out/run.lock/")).isEmpty();
    assertThat(s3.pendingUploads()).doesNotContain("<Upload>");
  }

  @Test
  void aStoreThatIsAwayForTooLongEndsTheRunWhoseImagesARerunReuses() throws Exception {
    hadoop.set(StoreRetry.LONGEST_OUTAGE, "2s");
    AtomicInteger images = new AtomicInteger();
    awayFrom(call -> Moment.DRAWING.test(call) && images.incrementAndGet() > 1, Integer.MAX_VALUE);

    assertThatThrownBy(() -> job.run(pipeline))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.STORE_UNAVAILABLE))
        .hasMessageContaining(s3.uri("out"))
        .hasMessageMatching("(?s).*the store did not respond for \\d+ s.*");

    link.failing(call -> Fault.NONE);
    for (String key : s3.keys("out/run.lock/")) { // it would expire
      s3.delete(key);
    }
    assertThat(job.runId("second").run(new SolidColorPipeline()).summary().labelled())
        .isEqualTo(Map.of("reused", 1L, "generated", IMAGES - 1L));
  }

  @Test
  void aRunThatIsToEndDoesNotWaitForItsStore() {
    awayFrom(
        call -> {
          boolean away = Moment.DRAWING.test(call);
          if (away) {
            GenerationRun.end(job.options());
          }
          return away;
        },
        Integer.MAX_VALUE);

    hadoop.set(StoreRetry.LONGEST_OUTAGE, "10m");
    assertThatThrownBy(() -> job.run(pipeline))
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.RUN_STOPPED))
        .hasMessage(
            "the run ended on request while it waited for its store, and committed no manifest;"
                + " images that it stored are kept, and a rerun reuses them");
  }

  @Test
  void aRunThatLostItsLockCommitsNothing() throws Exception {
    HandClock clock = new HandClock(Instant.parse("2026-03-04T12:00:00Z"));
    ImageStore store = ImageStore.open(s3.uri("out"), hadoop);
    Clock ofStore = store.probeWritable(clock).clock(clock);
    pipeline.failing(
        batch -> { // the host slept meanwhile, and another run came
          if (pipeline.batches.size() == IMAGES) {
            clock.advance(Duration.ofHours(1));
            RunLock.take(store, "out", "other", ofStore);
          }
        });

    assertThatThrownBy(() -> job.clock(clock).run(pipeline))
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.OUTPUT_IN_USE))
        .hasMessageContaining("was taken over by another run");
    assertThat(s3.keys("out/images/")).hasSize(IMAGES);
    assertThat(s3.keys("out/manifest/")).noneMatch(key -> key.endsWith(".parquet"));
    assertThat(s3.pendingUploads()).doesNotContain("<Upload>");
  }
}
