package io.lightmill.udfs.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PageStatisticsTest {

  private static final Instant STARTED = PaintedRun.STARTED;
  private static final PaintedRun RUN = new PaintedRun(200, 16);
  private static final Dataset<Row> ROWS = RUN.rows();

  @Test
  void everyImageAndEveryMillisecondOfDevicesIsInOneInterval() {
    PageStatistics statistics = statistics(ROWS.collectAsList());

    PageTimeline timeline = statistics.timeline();
    assertThat(sum(timeline, i -> (double) timeline.images(i))).isEqualTo(192);
    assertThat(sum(timeline, i -> (double) timeline.problems(i))).isEqualTo(8);
    assertThat(sum(timeline, timeline::slots) * timeline.seconds())
        .isCloseTo(192 * 0.4, within(1e-6));
    assertThat(timeline.images(0)).isZero(); // planning
    assertThat(Arrays.stream(timeline.slotsOf(2)).max().orElseThrow()).isLessThanOrEqualTo(2);
    assertThat(Arrays.stream(timeline.slotsOf(2)).sum())
        .isCloseTo(sum(timeline, timeline::slots), within(1e-9));
    assertThat(timeline.slots(timeline.intervals() / 2)).isBetween(1.0, 2.5);
  }

  @Test
  void thePhasesAreThoseOfTheRows() {
    PageStatistics statistics = statistics(ROWS.collectAsList());

    assertThat(statistics.seconds(PageStatistics.Phase.DENOISE))
        .isCloseTo(192 * 0.340, within(1e-6));
    assertThat(statistics.seconds(PageStatistics.Phase.OTHER))
        .isCloseTo(192 * (0.400 - 0.018 - 0.340 - 0.031), within(1e-6));
    assertThat(statistics.seconds(PageStatistics.Phase.STORE)).isCloseTo(192 * 0.023, within(1e-6));
    assertThat(statistics.devices()).containsExactly("cuda:0", "cuda:1");
  }

  @Test
  void failuresComeFirstAndEveryRowIsCountedByItsReason() {
    assertThat(statistics(ROWS.collectAsList()).reasons())
        .extracting(
            each -> each.reason().status(),
            each -> each.reason().rule(),
            each -> each.tally().rows())
        .containsExactly(
            tuple("failed", "", 2L),
            tuple("invalid", "", 2L),
            tuple("blocked", "violence: fighting", 2L),
            tuple("blocked", "violence: weapons", 2L),
            tuple("flagged", "brand: logo", 20L));
  }

  @Test
  void executorsCountTheSameInParts() {
    List<Row> rows = ROWS.collectAsList();
    PageStatistics whole = statistics(rows);

    PageStatistics parts =
        PageStatistics.of(
            ROWS.repartition(5),
            rows.subList(0, 10),
            rows.size(),
            STARTED,
            STARTED.plus(RUN.duration()));

    assertThat(parts.reasons())
        .extracting(each -> each.reason(), each -> each.tally().rows())
        .isEqualTo(
            whole.reasons().stream()
                .map(each -> tuple(each.reason(), each.tally().rows()))
                .toList());
    for (PageStatistics.Phase phase : PageStatistics.Phase.values()) {
      assertThat(parts.seconds(phase)).isCloseTo(whole.seconds(phase), within(1e-6));
    }
    assertThat(sum(parts.timeline(), parts.timeline()::slots))
        .isCloseTo(sum(whole.timeline(), whole.timeline()::slots), within(1e-6));
    assertThat(parts.devices()).isEqualTo(whole.devices());
  }

  @Test
  void reasonsBeyondTheMostArePutTogether() {
    PageStatistics statistics = new PageStatistics(STARTED, STARTED);
    for (int i = 0; i < 1000; i++) {
      statistics.add(PaintedRun.blocked(i, "rule " + i));
    }

    assertThat(statistics.reasons()).hasSize(201);
    PageStatistics.Reason last = statistics.reasons().get(200);
    assertThat(last.reason()).isEqualTo(PageReason.OTHERS);
    assertThat(last.tally().rows()).isEqualTo(800);
  }

  @ParameterizedTest
  @CsvSource({"1, 1", "9900, 99", "60000, 60", "86400000, 96", "864000000, 80"})
  void aTimelineHasAHundredIntervalsAtMost(long millis, int intervals) {
    PageTimeline timeline = new PageTimeline(STARTED, STARTED.plus(Duration.ofMillis(millis)));

    assertThat(timeline.intervals()).isEqualTo(intervals);
    assertThat(timeline.intervals() * timeline.seconds() * 1000).isGreaterThanOrEqualTo(millis);
  }

  private static PageStatistics statistics(List<Row> rows) {
    return PageStatistics.of(ROWS, rows, rows.size(), STARTED, STARTED.plus(RUN.duration()));
  }

  private static double sum(PageTimeline timeline, IntToDoubleFunction value) {
    return IntStream.range(0, timeline.intervals()).mapToDouble(value).sum();
  }
}
