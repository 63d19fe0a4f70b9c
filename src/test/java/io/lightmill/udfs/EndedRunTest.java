package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.JobCheckpoint;
import io.lightmill.udfs.run.GenerationRun;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs that are ended, or reach their deadline, where they draw nothing. */
class EndedRunTest {

  private static final int CORES = 2;

  /** Tasks share this JVM with the test. */
  private static volatile CountDownLatch occupied;

  private static volatile CountDownLatch released;

  private final SparkSession spark = TestSpark.session();
  private final SolidColorPipeline pipeline = new SolidColorPipeline();
  @TempDir Path directory;
  private TestJob job;

  @BeforeEach
  void table() throws IOException {
    job = TestJob.in(directory, List.of("id,prompt", "1,a", "2,b", "3,c"));
    occupied = new CountDownLatch(CORES);
    released = new CountDownLatch(1);
  }

  /** A checkpoint that is fetched until the thread is interrupted. */
  private Supplier<JobCheckpoint> fetching(Runnable begun) {
    return () -> {
      begun.run();
      await(new CountDownLatch(1));
      return pipeline.checkpoint();
    };
  }

  private void run(Supplier<JobCheckpoint> checkpoint) {
    job.run(spark, Cluster.of(spark.sparkContext(), DeviceChoice.CPU), checkpoint);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(120, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException("interrupted", e);
    }
  }

  /** Keeps all cores of the session busy until {@link #released}. */
  private CompletableFuture<Void> occupation() {
    CompletableFuture<Void> occupation =
        CompletableFuture.runAsync(
            () -> {
              spark.sparkContext().clearJobTags(); // a new thread inherits those of the run
              new JavaSparkContext(spark.sparkContext())
                  .parallelize(IntStream.range(0, CORES).boxed().toList(), CORES)
                  .foreach(
                      core -> {
                        occupied.countDown();
                        await(released);
                      });
            });
    await(occupied);
    return occupation;
  }

  private static void assertStopped(Throwable failure, String message) {
    assertThat(failure)
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.RUN_STOPPED))
        .hasMessageMatching(message);
  }

  private void assertNothingLeft() {
    assertThat(GenerationRun.isCancelled(job.options())).isFalse();
    assertThat(Thread.interrupted()).isFalse();
    assertThat(directory.resolve("out/run.lock")).doesNotExist();
    assertThat(directory.resolve("out/manifest")).doesNotExist();
    assertThat(job.run(pipeline).counts()).containsEntry(ImageStatus.GENERATED, 3L);
  }

  @Test
  void aRunEndsWhileItPlans() {
    assertThatThrownBy(() -> run(fetching(() -> GenerationRun.end(job.options()))))
        .satisfies(
            e ->
                assertStopped(
                    e,
                    "the run ended on request while it was planning, before it drew an image; run"
                        + " it again"));
    assertNothingLeft();
  }

  @Test
  void theDeadlineCoversPlanning() {
    HandClock clock = new HandClock(Instant.parse("2026-03-04T12:00:00Z"));
    job.clock(clock).deadline(clock.instant().plus(Duration.ofHours(1)));

    assertThatThrownBy(() -> run(fetching(() -> clock.advance(Duration.ofHours(2)))))
        .satisfies(e -> assertStopped(e, "the run ended at its deadline while it was planning,.*"));
  }

  @Test
  void aRunEndsWhileItWaitsForExecutorsBeforeItDraws() throws Exception {
    CompletableFuture<Void> occupation = occupation();
    try {
      CompletableFuture<Void> run = CompletableFuture.runAsync(() -> job.run(pipeline));
      while (!GenerationRun.end(job.options())) {
        Thread.onSpinWait();
      }
      assertThatThrownBy(() -> run.get(60, TimeUnit.SECONDS))
          .satisfies(
              e ->
                  assertStopped(
                      e.getCause(),
                      "the run ended on request while it (waited for executors|was planning),"
                          + " before it drew an image; run it again"));
    } finally {
      released.countDown();
      occupation.get(60, TimeUnit.SECONDS);
    }
    assertNothingLeft();
  }

  @Test
  void aRunEndsWhileItWaitsForExecutorsToDraw() throws Exception {
    CompletableFuture<?>[] occupation = new CompletableFuture<?>[1];
    job.progress(
        new RunListener() {
          @Override
          public void planned(long images, long toGenerate) {
            occupation[0] = occupation();
            GenerationRun.end(job.options());
          }
        });
    try {
      assertThatThrownBy(() -> job.run(pipeline))
          .satisfies(
              e ->
                  assertStopped(
                      e, "the run ended on request while it waited for executors, and .*"));
    } finally {
      released.countDown();
      occupation[0].get(60, TimeUnit.SECONDS);
    }
    job.progress(RunListener.NONE);
    assertNothingLeft();
  }
}
