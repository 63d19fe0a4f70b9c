package io.lightmill.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.report.RunRecord;
import io.lightmill.udfs.report.RunSummary;
import io.lightmill.udfs.report.TestManifest;
import io.lightmill.udfs.run.RunResult;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PrintedResultTest {

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void theSummarySaysWhereEverythingIs() {
    print(
        Optional.of("out/runs/first.json"),
        Optional.of("out/contact-sheet.html"),
        Optional.of("out/contact-sheet.png"),
        Optional.of("out/report.html"),
        List.of());
    assertThat(out.toString().lines())
        .containsExactly(
            "3 images in 8.0 s, of which drawing took 1.0 s: 2 generated (4.0 s each, while drawing"
                + " 2.0/s), 1 invalid",
            "  1 image has a single colour: see the column 'blank' of the manifest",
            "  networks took turns on the device: 5 GB loaded from files in 12.3 s, 80 MB per"
                + " image",
            "  3 requests cost 0.0421, and up to 0.0123 for lost answers",
            "  row 3 invalid, PROMPT_MISSING: no prompt",
            "  manifest       out/manifest/first.parquet",
            "  run record     out/runs/first.json",
            "  report         out/report.html",
            "  contact sheet  out/contact-sheet.html",
            "                 out/contact-sheet.png");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void whatCouldNotBeWrittenIsAProblemAndNoLocation() {
    print(
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        List.of("the contact sheet cannot be drawn: disk full"));
    assertThat(out.toString())
        .contains("manifest")
        .doesNotContain("record", "contact sheet", "report");
    assertThat(err.toString())
        .isEqualToIgnoringNewLines("lightmill: the contact sheet cannot be drawn: disk full");
  }

  private static RunRecord record() {
    return new RunRecord(
        "first",
        Instant.EPOCH,
        Instant.EPOCH,
        Map.of(),
        null,
        Map.of(),
        0,
        0,
        null,
        List.of(),
        null,
        null,
        0,
        new RunRecord.Drawing(1, 2, 3, 12.34, 5L << 30, 80L << 20, 4, 2, Map.of(), 0),
        null,
        Map.of(),
        new RunRecord.Hosted(3, 0.0421, 0.0123));
  }

  private void print(
      Optional<String> record,
      Optional<String> sheet,
      Optional<String> image,
      Optional<String> page,
      List<String> problems) {
    RunResult result =
        new RunResult(
            "first",
            null,
            null,
            "out/manifest/first.parquet",
            new RunSummary(Map.of(ImageStatus.GENERATED, 2L, ImageStatus.INVALID, 1L), 1, 1, 8),
            record(),
            record,
            sheet,
            image,
            page,
            problems);
    new PrintedResult(new PrintWriter(out), new PrintWriter(err))
        .print(
            result,
            result
                .summary()
                .failureLines(
                    () ->
                        TestManifest.of(
                            List.of(
                                TestManifest.generated("1", "images/red.png"),
                                TestManifest.generated("2", "images/blue.png"),
                                TestManifest.refused(
                                    "3", "invalid", "PROMPT_MISSING", "no prompt")))));
  }
}
