package io.lightmill.udfs.report;

import static org.apache.spark.sql.functions.col;

import io.lightmill.pipeline.InvisibleCharacters;
import io.lightmill.pipeline.Verdict;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.VerdictCounts;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * The results of a run in numbers.
 *
 * @param counts rows by status, without statuses of no row
 * @param blank rows whose image has a single colour
 * @param verdicts rows with a verdict
 * @param drawing seconds from the first device with its model to the committed manifest
 * @param total seconds from the start of the caller to the end of the run
 */
public record RunSummary(
    Map<ImageStatus, Long> counts,
    long blank,
    VerdictCounts verdicts,
    double drawing,
    double total) {

  private static final int SHOWN_FAILURES = 5;

  public RunSummary {
    Map<ImageStatus, Long> ordered = new EnumMap<>(ImageStatus.class);
    ordered.putAll(counts);
    ordered.values().removeIf(rows -> rows == 0);
    counts = Collections.unmodifiableMap(ordered);
  }

  /** The results of a run without verdicts. */
  public RunSummary(Map<ImageStatus, Long> counts, long blank, double drawing, double total) {
    this(counts, blank, VerdictCounts.NONE, drawing, total);
  }

  /** Rows of the manifest. */
  public long images() {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Rows with this status. */
  public long count(ImageStatus status) {
    return counts.getOrDefault(status, 0L);
  }

  /** Failed, invalid and uncertain rows: what {@code max-failures} counts. */
  public long failures() {
    return Arrays.stream(ImageStatus.values())
        .filter(ImageStatus::isFailure)
        .mapToLong(this::count)
        .sum();
  }

  /** Rows that are not pending. */
  public long settled() {
    return images() - count(ImageStatus.PENDING);
  }

  /** Generated images per second of drawing. */
  public double imagesPerSecond() {
    return perSecond(drawing);
  }

  /** Generated images per second of the whole run. */
  public double imagesPerSecondInTotal() {
    return perSecond(total);
  }

  private double perSecond(double seconds) {
    return seconds > 0 ? count(ImageStatus.GENERATED) / seconds : 0;
  }

  /** The same results of a caller that took longer. */
  public RunSummary in(double seconds) {
    return new RunSummary(counts, blank, verdicts, drawing, seconds);
  }

  /**
   * How the run ended. A stopped run is to be run again, whatever failed so far; unless failures
   * stopped it, since these have to be fixed first.
   *
   * @param maxFailures failed and invalid rows that the run may have; empty where none stops it
   */
  public RunEnd end(Optional<Integer> maxFailures) {
    boolean tooMany = failures() > maxFailures.orElse(0);
    if (count(ImageStatus.PENDING) > 0 && !(tooMany && maxFailures.isPresent())) {
      return RunEnd.STOPPED;
    }
    return tooMany ? RunEnd.ROWS_FAILED : RunEnd.SUCCEEDED;
  }

  /** Rows by the labels of their statuses. */
  public Map<String, Long> labelled() {
    return counts.entrySet().stream()
        .collect(
            Collectors.toMap(
                each -> each.getKey().label(),
                Map.Entry::getValue,
                (one, other) -> one,
                LinkedHashMap::new));
  }

  /**
   * Such as {@code 24 images in 12.4 s, of which drawing took 3.1 s: 20 generated (1.6/s, while
   * drawing 6.5/s), 4 reused}.
   */
  public String sentence() {
    return String.format(
        Locale.ROOT,
        "%d %s in %.1f s%s: %s",
        images(),
        images() == 1 ? "image" : "images",
        total,
        count(ImageStatus.GENERATED) == 0
            ? ""
            : String.format(Locale.ROOT, ", of which drawing took %.1f s", drawing),
        counts.entrySet().stream()
            .map(each -> each.getValue() + " " + each.getKey().label() + rate(each.getKey()))
            .collect(Collectors.joining(", ")));
  }

  /** A line on images of a single colour, if there are any. */
  public Optional<String> blankLine() {
    return blank == 0
        ? Optional.empty()
        : Optional.of(
            blank == 1
                ? "1 image has a single colour: see the column 'blank' of the manifest"
                : blank
                    + " images have a single colour each: see the column 'blank' of the manifest");
  }

  /** One line for each kind of verdict that occurs, with its categories. */
  public List<String> verdictLines() {
    return Stream.of(Verdict.Action.BLOCK, Verdict.Action.FLAG)
        .filter(action -> verdicts.rows(action) > 0)
        .map(
            action ->
                "%d %s %s by the policy (%s): see the column 'verdict' of the manifest"
                    .formatted(
                        verdicts.rows(action),
                        verdicts.rows(action) == 1 ? "image is" : "images are",
                        VerdictCounts.verdictOf(action),
                        verdicts.byCategory(action)))
        .toList();
  }

  /**
   * One line for each of the first failed, invalid and uncertain rows, with the reason.
   *
   * @param manifest called only if there are any
   */
  public List<String> failureLines(Supplier<Dataset<Row>> manifest) {
    if (failures() == 0) {
      return List.of();
    }
    List<Row> first =
        manifest
            .get()
            .filter(
                col("status")
                    .isin(
                        Arrays.stream(ImageStatus.values())
                            .filter(ImageStatus::isFailure)
                            .map(ImageStatus::label)
                            .toArray()))
            .select("id", "variant", "status", "error_code", "error_message")
            .orderBy("id", "variant")
            .takeAsList(SHOWN_FAILURES);
    List<String> lines = new ArrayList<>();
    for (Row row : first) {
      lines.add(
          InvisibleCharacters.escaped(
              "%s %s, %s: %s"
                  .formatted(
                      row.isNullAt(0) ? "row without id" : "row " + row.getString(0),
                      row.getString(2),
                      row.getString(3),
                      row.getString(4))));
    }
    if (failures() > first.size()) {
      lines.add("… and %d more; the manifest has all".formatted(failures() - first.size()));
    }
    return lines;
  }

  /** Such as {@code 6.5/s} or {@code 2.3 s each}. */
  public static String speed(double perSecond) {
    return perSecond >= 1 || perSecond <= 0
        ? String.format(Locale.ROOT, "%.1f/s", perSecond)
        : String.format(Locale.ROOT, "%.1f s each", 1 / perSecond);
  }

  private String rate(ImageStatus status) {
    return status == ImageStatus.GENERATED
        ? " (%s, while drawing %s)"
            .formatted(speed(imagesPerSecondInTotal()), speed(imagesPerSecond()))
        : "";
  }
}
