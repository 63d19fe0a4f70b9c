package io.lightmill.udfs.progress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.udfs.HandClock;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.SolidColorPipeline;
import io.lightmill.udfs.TestJob;
import io.lightmill.udfs.run.GenerationRun;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs that end early commit what they have, and a rerun takes up the rest. */
class DrawingStopTest {

  private static final Instant NOON = Instant.parse("2026-03-04T12:00:00Z");
  private static final int ROWS = 20;
  private static final int BATCH = 4;

  @TempDir Path directory;

  private final HandClock clock = new HandClock(NOON);
  private final SolidColorPipeline pipeline = new SolidColorPipeline();
  private TestJob job;

  @BeforeEach
  void table() throws IOException {
    Path table = directory.resolve("prompts.csv");
    Files.write(table, List.of(TestJob.rows(ROWS)));
    job = new TestJob(table, directory.resolve("out")).batchSize(BATCH).partitions(1).clock(clock);
  }

  @Test
  void aDeadlineThatPassesBeforeTheFirstBatchLeavesAllPending() {
    RunListener late =
        new RunListener() {
          @Override
          public void planned(long images, long toGenerate) {
            clock.advance(Duration.ofMinutes(1));
          }
        };

    RunResult result = job.deadline(NOON.plus(Duration.ofMinutes(1))).progress(late).run(pipeline);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("pending", (long) ROWS));
    assertThat(pipeline.batches).isEmpty();
    assertThat(result.manifest().filter("path is null and error_code is null").count())
        .isEqualTo(ROWS);
  }

  @Test
  void batchesAreDrawnUntilTheDeadlineAndTheRestByARerun() {
    pipeline.failing(batch -> clock.advance(Duration.ofMinutes(1)));

    RunResult result = job.deadline(NOON.plus(Duration.ofMinutes(3))).run(pipeline);

    assertThat(result.summary().labelled())
        .isEqualTo(Map.of("generated", 3L * BATCH, "pending", (long) ROWS - 3 * BATCH));

    SolidColorPipeline other = new SolidColorPipeline();
    assertThat(job.runId("second").deadline(Instant.MAX).run(other).summary().labelled())
        .isEqualTo(Map.of("reused", 3L * BATCH, "generated", (long) ROWS - 3 * BATCH));
    assertThat(other.batches.stream().mapToInt(List::size).sum()).isEqualTo(ROWS - 3 * BATCH);
  }

  @Test
  void aRunWithMoreFailuresThanItMayHaveBeginsNoFurtherBatch() {
    pipeline.failing(
        batch -> {
          throw new IllegalStateException("CUDA error: device lost");
        });
    AtomicLong reported = new AtomicLong();
    RunListener progress =
        new RunListener() {
          @Override
          public void planned(long images, long toGenerate) {}

          @Override
          public void tooManyFailures(long rows) {
            reported.set(rows);
          }

          @Override
          public void finished(long images) {}
        };

    RunResult result = job.mostFailures(BATCH).progress(progress).run(pipeline);

    assertThat(reported.get()).isGreaterThan(BATCH);
    long failed = result.summary().labelled().get("failed");
    assertThat(failed)
        .isBetween(reported.get(), 4L * BATCH); // two more batches were in flight by then
    assertThat(result.summary().labelled()).containsEntry("pending", ROWS - failed);
    assertThat(
            job.runId("second")
                .progress(RunListener.NONE)
                .run(new SolidColorPipeline())
                .summary()
                .labelled())
        .isEqualTo(Map.of("generated", (long) ROWS));
  }

  @Test
  void asManyFailuresAsItMayHaveStopNoRun() {
    pipeline.failing(
        batch -> {
          if (batch.stream().anyMatch(request -> request.prompt().equals("mug 0"))) {
            throw new IllegalStateException("CUDA error: illegal address");
          }
        });

    assertThat(job.mostFailures(1).run(pipeline).summary().labelled())
        .isEqualTo(Map.of("failed", 1L, "generated", ROWS - 1L));
  }

  /** Nothing is committed under the run id of a failed run, so it can be used again. */
  @Test
  void aRunThatIsEndedWhenItHasFailedCanBeRepeatedWithItsId() {
    RunListener failing =
        new RunListener() {
          @Override
          public void planned(long images, long toGenerate) {
            GenerationRun.end(job.options());
            throw new IllegalStateException("injected");
          }
        };
    assertThatThrownBy(() -> job.progress(failing).run(pipeline)).hasMessageContaining("injected");
    assertThat(GenerationRun.end(job.options())).isFalse();

    assertThat(job.progress(RunListener.NONE).run(pipeline).summary().labelled())
        .isEqualTo(Map.of("generated", (long) ROWS));
  }

  @Test
  void aRunThatIsEndedFinishesItsBatchAndCommits() {
    pipeline.failing(
        batch -> {
          if (pipeline.batches.size() == 2) {
            GenerationRun.end(job.options());
          }
        });

    RunResult result = job.run(pipeline);

    assertThat(result.summary().labelled())
        .isEqualTo(Map.of("generated", 2L * BATCH, "pending", (long) ROWS - 2 * BATCH));
    assertThat(result.problems()).isEmpty();
    assertThat(job.runId("second").run(new SolidColorPipeline()).summary().labelled())
        .isEqualTo(Map.of("reused", 2L * BATCH, "generated", (long) ROWS - 2 * BATCH));
  }
}
