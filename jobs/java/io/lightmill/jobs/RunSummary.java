package io.lightmill.jobs;

import static org.apache.spark.sql.functions.col;

import io.lightmill.udfs.ImageStatus;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * What became of the images of a run.
 *
 * @param statuses rows by status
 * @param seconds of the generating stage
 */
record RunSummary(Map<String, Long> statuses, double seconds) {

  private static final int SHOWN_FAILURES = 5;

  /** Rows of the manifest. */
  long images() {
    return statuses.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Failed and invalid rows: what {@code --max-failures} counts. */
  long failures() {
    return count(ImageStatus.FAILED) + count(ImageStatus.INVALID);
  }

  /** Rows of which something became: all but those that a stop left to a rerun. */
  long settled() {
    return images() - count(ImageStatus.PENDING);
  }

  /**
   * Of the command. What was stopped is to be run again, whatever failed so far; unless it was the
   * failures that stopped it, since a fix comes first then.
   *
   * @param most failed and invalid rows that the run may have; empty where none stops it
   */
  int exitStatus(OptionalInt most) {
    boolean tooMany = failures() > most.orElse(0);
    if (count(ImageStatus.PENDING) > 0 && !(tooMany && most.isPresent())) {
      return ExitStatus.STOPPED;
    }
    return tooMany ? ExitStatus.ROWS_FAILED : ExitStatus.DONE;
  }

  /** Images a second of the generating stage. */
  double imagesPerSecond() {
    return seconds > 0 ? count(ImageStatus.GENERATED) / seconds : 0;
  }

  /** Rows by status, those of no row left out. */
  Map<String, Long> inOrder() {
    Map<String, Long> counts = new LinkedHashMap<>();
    for (ImageStatus status : ImageStatus.values()) {
      if (count(status) > 0) {
        counts.put(status.label(), count(status));
      }
    }
    return counts;
  }

  /** Such as {@code 24 images in 3.1 s: 20 generated (6.5/s), 4 reused}. */
  String sentence() {
    String counts =
        inOrder().entrySet().stream()
            .map(each -> each.getValue() + " " + each.getKey() + pace(each.getKey()))
            .collect(Collectors.joining(", "));
    return String.format(
        Locale.ROOT,
        "%d %s in %.1f s: %s",
        images(),
        images() == 1 ? "image" : "images",
        seconds,
        counts);
  }

  /** Prints the first rows that came to nothing, with the reason. */
  void printFailures(Dataset<Row> manifest, PrintWriter out) {
    if (failures() == 0) {
      return;
    }
    List<Row> first =
        manifest
            .filter(col("status").isin(ImageStatus.FAILED.label(), ImageStatus.INVALID.label()))
            .select("id", "variant", "status", "error_code", "error_message")
            .orderBy("id", "variant")
            .takeAsList(SHOWN_FAILURES);
    for (Row row : first) {
      out.printf(
          "  %s %s, %s: %s%n",
          row.isNullAt(0) ? "row without id" : "row " + row.getString(0),
          row.getString(2),
          row.getString(3),
          row.getString(4));
    }
    if (failures() > first.size()) {
      out.printf("  … and %d more; the manifest has them all%n", failures() - first.size());
    }
  }

  private String pace(String status) {
    return status.equals(ImageStatus.GENERATED.label())
        ? String.format(Locale.ROOT, " (%.1f/s)", imagesPerSecond())
        : "";
  }

  private long count(ImageStatus status) {
    return statuses.getOrDefault(status.label(), 0L);
  }
}
