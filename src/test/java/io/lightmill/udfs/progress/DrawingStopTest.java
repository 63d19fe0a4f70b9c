package io.lightmill.udfs.progress;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.HandClock;
import io.lightmill.udfs.ImageGeneration;
import io.lightmill.udfs.PaintStudio;
import io.lightmill.udfs.TestJob;
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
  private final PaintStudio studio = new PaintStudio();
  private TestJob job;

  @BeforeEach
  void table() throws IOException {
    Path table = directory.resolve("prompts.csv");
    Files.write(table, List.of(TestJob.rows(ROWS)));
    job = new TestJob(table, directory.resolve("out")).batchSize(BATCH).partitions(1).clock(clock);
  }

  @Test
  void pastTheDeadlineNothingIsDrawnAndAllIsAccountedFor() {
    ImageGeneration.Result result = job.deadline(NOON).run(studio);

    assertThat(result.statuses()).isEqualTo(Map.of("pending", (long) ROWS));
    assertThat(studio.batches).isEmpty();
    assertThat(result.manifest().filter("path is null and error_code is null").count())
        .isEqualTo(ROWS);
  }

  @Test
  void batchesAreDrawnUntilTheDeadlineAndTheRestByARerun() {
    studio.failing(batch -> clock.advance(Duration.ofMinutes(1)));

    ImageGeneration.Result result = job.deadline(NOON.plus(Duration.ofMinutes(3))).run(studio);

    assertThat(result.statuses())
        .isEqualTo(Map.of("generated", 3L * BATCH, "pending", (long) ROWS - 3 * BATCH));

    PaintStudio other = new PaintStudio();
    assertThat(job.runId("second").deadline(Instant.MAX).run(other).statuses())
        .isEqualTo(Map.of("reused", 3L * BATCH, "generated", (long) ROWS - 3 * BATCH));
    assertThat(other.batches.stream().mapToInt(List::size).sum()).isEqualTo(ROWS - 3 * BATCH);
  }

  @Test
  void aRunWithMoreFailuresThanItMayHaveBeginsNoFurtherBatch() {
    studio.failing(
        batch -> {
          throw new IllegalStateException("CUDA error: device lost");
        });
    AtomicLong told = new AtomicLong();
    ImageGeneration.Progress progress =
        new ImageGeneration.Progress() {
          @Override
          public void planned(long images, long toGenerate) {}

          @Override
          public void tooManyFailures(long rows) {
            told.set(rows);
          }

          @Override
          public void finished(long images) {}
        };

    ImageGeneration.Result result = job.mostFailures(BATCH).progress(progress).run(studio);

    assertThat(told.get()).isGreaterThan(BATCH);
    long failed = result.statuses().get("failed");
    assertThat(failed)
        .isBetween(told.get(), 4L * BATCH); // two more were in flight when it was told
    assertThat(result.statuses()).containsEntry("pending", ROWS - failed);
    assertThat(job.runId("second").progress(TestJob.SILENT).run(new PaintStudio()).statuses())
        .isEqualTo(Map.of("generated", (long) ROWS));
  }

  @Test
  void asManyFailuresAsItMayHaveStopNoRun() {
    studio.failing(
        batch -> {
          if (batch.stream().anyMatch(request -> request.prompt().equals("mug 0"))) {
            throw new IllegalStateException("CUDA error: illegal address");
          }
        });

    assertThat(job.mostFailures(1).run(studio).statuses())
        .isEqualTo(Map.of("failed", 1L, "generated", ROWS - 1L));
  }

  @Test
  void aRunThatIsToldToEndFinishesItsBatchAndCommits() {
    studio.failing(
        batch -> {
          if (studio.batches.size() == 2) {
            ImageGeneration.end("first");
          }
        });

    ImageGeneration.Result result = job.run(studio);

    assertThat(result.statuses())
        .isEqualTo(Map.of("generated", 2L * BATCH, "pending", (long) ROWS - 2 * BATCH));
    assertThat(job.runId("second").run(new PaintStudio()).statuses())
        .isEqualTo(Map.of("reused", 2L * BATCH, "generated", (long) ROWS - 2 * BATCH));
  }
}
