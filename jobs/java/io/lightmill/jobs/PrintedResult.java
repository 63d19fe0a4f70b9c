package io.lightmill.jobs;

import io.lightmill.udfs.run.RunResult;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;

/** Prints the results of a run: counts, the first failures, and where everything is. */
record PrintedResult(PrintWriter out, PrintWriter err) {

  /**
   * @param failures lines on the first failed and invalid rows
   */
  void print(RunResult result, List<String> failures) {
    out.println(result.summary().sentence());
    result.summary().blankLine().ifPresent(line -> out.println("  " + line));
    result.record().drawing().loadLine().ifPresent(line -> out.println("  " + line));
    Optional.ofNullable(result.record().hosted())
        .ifPresent(hosted -> out.println("  " + hosted.line()));
    result.summary().verdictLines().forEach(line -> out.println("  " + line));
    failures.forEach(line -> out.println("  " + line));
    location("manifest", result.manifestLocation());
    result.recordLocation().ifPresent(file -> location("run record", file));
    result.reportPage().ifPresent(page -> location("report", page));
    result.contactSheet().ifPresent(page -> location("contact sheet", page));
    result.contactSheetImage().ifPresent(image -> location("", image));
    out.flush();
    result.problems().forEach(problem -> err.println("lightmill: " + problem));
    err.flush();
  }

  private void location(String what, String where) {
    out.printf("  %-14s %s%n", what, where);
  }
}
