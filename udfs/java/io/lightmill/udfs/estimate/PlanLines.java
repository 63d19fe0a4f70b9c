package io.lightmill.udfs.estimate;

import io.lightmill.pipeline.InvisibleCharacters;
import io.lightmill.pipeline.hosted.HostedEndpoint;
import io.lightmill.udfs.ImageStatus;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.commons.io.FileUtils;

/** A {@link PlanReport} as lines of text. */
record PlanLines(PlanReport plan) {

  private static final int MOST_SIZES = 20;

  List<String> all() {
    List<String> lines = new ArrayList<>();
    PlanReport.Images images = plan.images();
    lines.add(
        "plan: %s → %s in %s".formatted(plan.input(), counted(images.requested()), plan.output()));
    count(lines, "to draw", images.toDraw(), "");
    count(lines, "exist", images.exist(), "stored by earlier runs");
    count(lines, "same", images.same(), "equal to another image, drawn once");
    count(lines, "blocked", images.blocked(), "");
    problems(lines, ImageStatus.BLOCKED.label());
    count(lines, "failed", images.failed(), "in earlier runs, not tried again");
    count(lines, "invalid", images.invalid(), "");
    problems(lines, ImageStatus.INVALID.label());
    count(lines, "duplicate id", images.duplicateIds(), "rows; a run is refused");
    problems(lines, PlanReport.DUPLICATE);
    if (images.toDraw() > 0) {
      sizes(lines);
      estimate(lines);
    }
    return lines;
  }

  private static void count(List<String> lines, String what, long images, String note) {
    if (images > 0 || what.equals("to draw")) {
      lines.add(
          String.format(Locale.ROOT, "  %-12s %,10d  %s", what, images, note).stripTrailing());
    }
  }

  private void problems(List<String> lines, String status) {
    plan.problems().stream()
        .filter(problem -> problem.status().equals(status))
        .forEach(
            problem ->
                lines.add(
                    "    "
                        + InvisibleCharacters.escaped(problem.code() + ": " + problem.message())));
  }

  private record Kind(String size, int steps, String notes) {}

  /** Sizes that differ only in adapters or sampling share a line where there are many. */
  private void sizes(List<String> lines) {
    lines.add(row("size", "steps", "images", "device time", "each"));
    Map<Kind, List<PlanReport.Size>> kinds =
        plan.sizes().stream()
            .collect(
                Collectors.groupingBy(
                    size -> new Kind(size.width() + "×" + size.height(), size.steps(), notes(size)),
                    LinkedHashMap::new,
                    Collectors.toList()));
    kinds.entrySet().stream()
        .limit(MOST_SIZES)
        .forEach(each -> lines.add(line(each.getKey(), each.getValue())));
    if (kinds.size() > MOST_SIZES) {
      lines.add("  … and %d more; --json has all".formatted(kinds.size() - MOST_SIZES));
    }
  }

  private static String notes(PlanReport.Size size) {
    List<String> notes = new ArrayList<>();
    if (size.guided()) {
      notes.add("guided");
    }
    if (!size.lora().isEmpty()) {
      notes.add(size.lora());
    }
    if (!size.sampling().equals("none")) {
      notes.add(size.sampling());
    }
    return String.join(", ", notes);
  }

  private static String line(Kind kind, List<PlanReport.Size> sizes) {
    long images = sizes.stream().mapToLong(PlanReport.Size::images).sum();
    boolean known = sizes.stream().allMatch(size -> size.deviceSeconds() != null);
    double seconds = known ? sizes.stream().mapToDouble(PlanReport.Size::deviceSeconds).sum() : 0;
    return (row(
                kind.size(),
                "" + kind.steps(),
                String.format(Locale.ROOT, "%,d", images),
                known ? time(seconds) : "?",
                known ? each(seconds / images) : "?")
            + "  "
            + kind.notes())
        .stripTrailing();
  }

  private static String row(Object... columns) {
    return String.format(Locale.ROOT, "  %-12s %-7s %10s %12s %10s", columns);
  }

  private void estimate(List<String> lines) {
    PlanReport.Estimate estimate = plan.estimate();
    if (estimate.deviceSeconds() != null) {
      lines.add(
          "  %s of device time, %s with %d %s in use; %s"
              .formatted(
                  time(estimate.deviceSeconds()),
                  time(estimate.drawingSeconds()),
                  plan.slots(),
                  slots(),
                  estimate.basis()));
    } else if (HostedEndpoint.isHosted(plan.checkpoint())) {
      if (estimate.cost() == null) {
        lines.add("  cost is unknown: " + estimate.basis());
      }
    } else if (estimate.cost() == null) {
      lines.add("  " + estimate.basis());
    }
    if (estimate.cost() != null) {
      lines.add(
          "  costs %s%s"
              .formatted(
                  estimate.cost(),
                  Optional.ofNullable(estimate.rate()).map(rate -> " at " + rate).orElse("")));
    }
    lines.add(
        "  %s%d %s"
            .formatted(
                estimate.bytes() == null
                    ? ""
                    : "about %s to store; "
                        .formatted(FileUtils.byteCountToDisplaySize(estimate.bytes())),
                plan.partitions(),
                plan.partitions() == 1 ? "partition" : "partitions"));
  }

  private String slots() {
    String what = plan.device().equals("cpu") ? "core" : "task";
    return plan.slots() == 1 ? what : what + "s";
  }

  private static String counted(long images) {
    return images == 1 ? "1 image" : String.format(Locale.ROOT, "%,d images", images);
  }

  /** Such as {@code 42.0 s}, {@code 12 min 5 s} or {@code 512 h 4 min}. */
  private static String time(double seconds) {
    long whole = Math.round(seconds);
    if (whole < 60) {
      return each(seconds);
    }
    return whole < 3600
        ? "%d min %d s".formatted(whole / 60, whole % 60)
        : String.format(Locale.ROOT, "%,d h %d min", whole / 3600, whole / 60 % 60);
  }

  private static String each(double seconds) {
    return seconds < 1
        ? String.format(Locale.ROOT, "%.0f ms", seconds * 1000)
        : String.format(Locale.ROOT, "%.1f s", seconds);
  }
}
