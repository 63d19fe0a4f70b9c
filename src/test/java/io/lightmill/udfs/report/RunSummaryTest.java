package io.lightmill.udfs.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.ImageStatus;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;

class RunSummaryTest {

  @Test
  void theSentenceCountsWhatHappenedInTheOrderOfInterest() {
    RunSummary summary =
        new RunSummary(
            Map.of(
                ImageStatus.FAILED,
                1L,
                ImageStatus.REUSED,
                4L,
                ImageStatus.GENERATED,
                20L,
                ImageStatus.INVALID,
                2L),
            0,
            3.125,
            12.5);
    assertThat(summary.sentence())
        .isEqualTo(
            "27 images in 12.5 s, of which drawing took 3.1 s: 20 generated (1.6/s, while drawing"
                + " 6.4/s), 4 reused, 2 invalid, 1 failed");
    assertThat(summary.failures()).isEqualTo(3);
    assertThat(summary.imagesPerSecond()).isEqualTo(6.4);
    assertThat(summary.imagesPerSecondInTotal()).isEqualTo(1.6);
    assertThat(summary.labelled().keySet())
        .containsExactly("generated", "reused", "invalid", "failed");
  }

  @Test
  void pendingImagesAreNoFailures() {
    RunSummary summary = new RunSummary(Map.of(ImageStatus.PENDING, 1L), 0, 0, 2);
    assertThat(summary.failures()).isZero();
    assertThat(summary.sentence()).isEqualTo("1 image in 2.0 s: 1 pending");
  }

  @Test
  void pendingImagesAreNotSettled() {
    RunSummary stopped =
        new RunSummary(
            Map.of(ImageStatus.GENERATED, 3L, ImageStatus.FAILED, 2L, ImageStatus.PENDING, 1L),
            0,
            1,
            1);
    assertThat(stopped.settled()).isEqualTo(5);
    assertThat(stopped.sentence()).endsWith("2 failed, 1 pending");
  }

  @Test
  void imagesOfASingleColourAreCounted() {
    Map<ImageStatus, Long> generated = Map.of(ImageStatus.GENERATED, 3L);
    assertThat(new RunSummary(generated, 0, 1, 1).blankLine()).isEmpty();
    assertThat(new RunSummary(generated, 1, 1, 1).blankLine())
        .contains("1 image has a single colour: see the column 'blank' of the manifest");
    assertThat(new RunSummary(generated, 2, 1, 1).blankLine())
        .contains("2 images have a single colour each: see the column 'blank' of the manifest");
  }

  @Test
  void theFirstFailuresAreSaidWithTheirReason() {
    List<Row> rows =
        IntStream.range(0, 7)
            .mapToObj(
                i -> TestManifest.refused("r" + i, i == 3 ? "failed" : "invalid", "C" + i, "m" + i))
            .toList();
    assertThat(
            failures(
                Map.of(ImageStatus.INVALID, 6L, ImageStatus.FAILED, 1L), TestManifest.of(rows)))
        .containsExactly(
            "row r0 invalid, C0: m0",
            "row r1 invalid, C1: m1",
            "row r2 invalid, C2: m2",
            "row r3 failed, C3: m3",
            "row r4 invalid, C4: m4",
            "… and 2 more; the manifest has all");
  }

  @Test
  void aRowWithoutAnIdIsSaidToHaveNone() {
    Dataset<Row> manifest =
        TestManifest.of(List.of(TestManifest.refused(null, "invalid", "VALUE_INVALID", "broken")));
    assertThat(failures(Map.of(ImageStatus.INVALID, 1L), manifest))
        .containsExactly("row without id invalid, VALUE_INVALID: broken");
  }

  @Test
  void pendingAndGeneratedRowsAreNotListed() {
    Dataset<Row> manifest =
        TestManifest.of(
            List.of(
                TestManifest.generated("1", "1.png"),
                TestManifest.refused("2", "pending", null, null),
                TestManifest.refused("3", "failed", "STORE_FAILED", "full")));
    assertThat(
            failures(
                Map.of(ImageStatus.GENERATED, 1L, ImageStatus.PENDING, 1L, ImageStatus.FAILED, 1L),
                manifest))
        .containsExactly("row 3 failed, STORE_FAILED: full");
  }

  private static List<String> failures(Map<ImageStatus, Long> statuses, Dataset<Row> manifest) {
    return new RunSummary(statuses, 0, 1, 1).failureLines(() -> manifest);
  }
}
