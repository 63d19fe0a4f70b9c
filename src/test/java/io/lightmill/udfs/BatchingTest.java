package io.lightmill.udfs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.ImageRequest;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.run.RunResult;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How many images a run draws together: measured batches, and chunks of networks that take turns.
 */
class BatchingTest {

  private static final int ROWS = 40;
  private static final Instant NOON = Instant.parse("2026-03-04T12:00:00Z");

  @TempDir Path directory;

  private final SolidColorPipeline pipeline = new SolidColorPipeline();

  private TestJob job() throws IOException {
    return TestJob.in(directory, List.of(TestJob.rows(ROWS))).partitions(1);
  }

  /** Its device has memory for three images. */
  @Test
  void measuredBatchesTooLargeForTheMemoryLoseNoRowAndDrawNoneTwice() throws IOException {
    Set<ImageRequest> drawn = ConcurrentHashMap.newKeySet();
    pipeline.failing(
        batch -> {
          if (batch.size() > 3) {
            throw new IllegalStateException("CUDA out of memory. Tried to allocate 2.00 GiB");
          }
          batch.forEach(request -> assertThat(drawn.add(request)).isTrue());
        });

    pipeline.taking(Duration.ofSeconds(1)); // larger batches draw more images per second

    RunResult result = job().measuredBatchSize().run(pipeline);

    assertThat(result.summary().labelled()).isEqualTo(Map.of("generated", (long) ROWS));
    assertThat(drawn).hasSize(ROWS);
    List<Integer> sizes = new ArrayList<>(List.of(1, 2, 4));
    sizes.addAll(Collections.nCopies(18, 2)); // two of them for the four images
    sizes.add(1);
    assertThat(pipeline.batches).extracting(List::size).containsExactlyElementsOf(sizes);
    assertThat(result.record().drawing().batches()).isEqualTo(Map.of(1, 2L, 2, 19L));
    assertThat(result.record().drawing().tooLargeBatches()).isEqualTo(1);
    assertThat(hashes(result))
        .isEqualTo(hashes(job().batchSize(1).runId("other").force().run(new SolidColorPipeline())));
  }

  @Test
  void aChunkEndsInTimeAndARerunDrawsTheRest() throws IOException {
    HandClock clock = new HandClock(NOON);
    pipeline.failing(batch -> clock.advance(Duration.ofMinutes(1)));
    TestJob job = job().option(ModelOptions.OFFLOAD, true).clock(clock);

    RunResult result = job.deadline(NOON.plus(Duration.ofMinutes(7))).run(pipeline);

    assertThat(result.summary().labelled())
        .isEqualTo(Map.of("generated", 7L, "pending", ROWS - 7L));
    SolidColorPipeline other = new SolidColorPipeline();
    assertThat(job.runId("second").deadline(Instant.MAX).run(other).summary().labelled())
        .isEqualTo(Map.of("reused", 7L, "generated", ROWS - 7L));
    assertThat(other.drawn()).isEqualTo(ROWS - 7);
  }

  private static Map<String, String> hashes(RunResult result) {
    return result.manifest().collectAsList().stream()
        .collect(Collectors.toMap(row -> row.<String>getAs("id"), BatchingTest::hash));
  }

  private static String hash(Row row) {
    return row.getAs("sha256");
  }
}
