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
import java.util.stream.IntStream;
import java.util.stream.Stream;
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
    Files.write(
        table,
        Stream.concat(
                Stream.of("id,prompt"), IntStream.range(0, ROWS).mapToObj(i -> i + ",mug " + i))
            .toList());
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
