package io.lightmill.udfs.report;

import static org.apache.spark.sql.functions.col;

import io.lightmill.pipeline.InvisibleCharacters;
import io.lightmill.udfs.ImageStatus;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * The results of a run in numbers.
 *
 * @param counts rows by status, without statuses of no row
 * @param blank rows whose image has a single colour
 * @param seconds of the generating stage
 */
public record RunSummary(Map<ImageStatus, Long> counts, long blank, double seconds) {

  private static final int SHOWN_FAILURES = 5;

  public RunSummary {
    Map<ImageStatus, Long> ordered = new EnumMap<>(ImageStatus.class);
    ordered.putAll(counts);
    ordered.values().removeIf(rows -> rows == 0);
    counts = Collections.unmodifiableMap(ordered);
  }

  /** Rows of the manifest. */
  public long images() {
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  /** Rows with this status. */
  public long count(ImageStatus status) {
    return counts.getOrDefault(status, 0L);
  }

  /** Failed and invalid rows: what {@code max-failures} counts. */
  public long failures() {
    return count(ImageStatus.FAILED) + count(ImageStatus.INVALID);
  }

  /** Rows that are not pending. */
  public long settled() {
    return images() - count(ImageStatus.PENDING);
  }

  /** Images per second of the generating stage. */
  public double imagesPerSecond() {
    return seconds > 0 ? count(ImageStatus.GENERATED) / seconds : 0;
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

  /** Such as {@code 24 images in 3.1 s: 20 generated (6.5/s), 4 reused}. */
  public String sentence() {
    return String.format(
        Locale.ROOT,
        "%d %s in %.1f s: %s",
        images(),
        images() == 1 ? "image" : "images",
        seconds,
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

  /** One line for each of the first failed and invalid rows, with the reason. */
  public List<String> failureLines(Dataset<Row> manifest) {
    if (failures() == 0) {
      return List.of();
    }
    List<Row> first =
        manifest
            .filter(col("status").isin(ImageStatus.FAILED.label(), ImageStatus.INVALID.label()))
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

  private String rate(ImageStatus status) {
    return status == ImageStatus.GENERATED
        ? String.format(Locale.ROOT, " (%.1f/s)", imagesPerSecond())
        : "";
  }
}
