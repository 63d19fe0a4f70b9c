package io.lightmill.jobs;

import io.lightmill.pipeline.verify.Comparison;
import io.lightmill.pipeline.verify.Kind;
import java.io.PrintWriter;
import java.util.Collection;
import java.util.Locale;
import org.apache.commons.lang3.StringUtils;

/** Prints comparisons in aligned columns as they arrive, then a summary. */
final class ComparisonTable {

  private static final int QUANTITY_WIDTH = 69;
  private static final String SCHEDULER = "scheduler";

  private final PrintWriter out;
  private final String line;
  private int comparisons;
  private int failures;
  private double largestImageDifference;

  ComparisonTable(PrintWriter out, Collection<String> caseNames) {
    this.out = out;
    int width = caseNames.stream().mapToInt(String::length).max().orElse(0);
    this.line =
        "%%-%ds  %%-%ds  %%10s  %%-18s  %%s"
            .formatted(Math.max(width, SCHEDULER.length()), QUANTITY_WIDTH);
  }

  void header() {
    println("case", "quantity", "difference", "limit", "");
  }

  void row(Comparison comparison) {
    comparisons++;
    failures += comparison.holds() ? 0 : 1;
    if (comparison.kind() == Kind.IMAGE) {
      largestImageDifference = Math.max(largestImageDifference, comparison.difference());
    }
    println(
        comparison.caseName(),
        StringUtils.abbreviate(comparison.quantity(), "…", QUANTITY_WIDTH),
        number(comparison.difference()),
        comparison.limit(),
        comparison.holds() ? "ok" : "FAIL");
  }

  void summary() {
    out.printf(
        Locale.ROOT,
        "%d comparisons, %d failed; largest image difference %s%n",
        comparisons,
        failures,
        number(largestImageDifference));
    out.flush();
  }

  boolean allHold() {
    return failures == 0;
  }

  private static String number(double difference) {
    if (difference == 0) {
      return "0";
    }
    return Double.isInfinite(difference) ? "-" : String.format(Locale.ROOT, "%.1e", difference);
  }

  private void println(Object... columns) {
    out.println(String.format(Locale.ROOT, line, columns).stripTrailing());
    out.flush();
  }
}
