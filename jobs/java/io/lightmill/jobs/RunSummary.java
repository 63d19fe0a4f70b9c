package io.lightmill.jobs;

import static org.apache.spark.sql.functions.col;

import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** What the user sees when a run is over. */
record RunSummary(Map<String, Long> statuses, double seconds) {

  /** In the order in which a reader cares. */
  private static final List<String> ORDER =
      List.of("generated", "reused", "blocked", "invalid", "failed");

  private static final Object[] FAILURES = {"failed", "invalid"};
  private static final int SHOWN_FAILURES = 5;

  /** Failed and invalid rows. */
  long failures() {
    return count("failed") + count("invalid");
  }

  /** {@code 24 images in 3.1 s: 20 generated (6.5/s), 4 reused}. */
  String sentence() {
    long images = statuses.values().stream().mapToLong(Long::longValue).sum();
    String counts =
        ORDER.stream()
            .filter(status -> count(status) > 0)
            .map(this::part)
            .collect(Collectors.joining(", "));
    return String.format(
        Locale.ROOT, "%d image%s in %.1f s: %s", images, images == 1 ? "" : "s", seconds, counts);
  }

  /** Images a second of the generating stage. */
  double imagesPerSecond() {
    return seconds > 0 ? count("generated") / seconds : 0;
  }

  /** Prints the first rows that came to nothing, with the reason. */
  void printFailures(Dataset<Row> manifest, PrintWriter out) {
    if (failures() == 0) {
      return;
    }
    List<Row> first =
        manifest
            .filter(col("status").isin(FAILURES))
            .select("id", "status", "error_code", "error_message")
            .takeAsList(SHOWN_FAILURES);
    for (Row row : first) {
      out.printf(
          "  row %s %s (%s): %s%n", row.getString(0), row.get(1), row.get(2), row.getString(3));
    }
    if (failures() > first.size()) {
      out.printf("  … and %d more in the manifest%n", failures() - first.size());
    }
  }

  private String part(String status) {
    return status.equals("generated")
        ? String.format(Locale.ROOT, "%d generated (%.1f/s)", count(status), imagesPerSecond())
        : count(status) + " " + status;
  }

  private long count(String status) {
    return statuses.getOrDefault(status, 0L);
  }
}
