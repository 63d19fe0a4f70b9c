package io.lightmill.udfs.report;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.manifest.ManifestColumns;
import java.io.Serializable;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.apache.spark.sql.Row;

/** What a run did in each of a few equal intervals of its time. Adds up rows of its manifest. */
final class PageTimeline implements Serializable {

  /** Most intervals. */
  static final int MOST = 100;

  private static final List<Long> WIDTHS =
      List.of(
          100L,
          250L,
          500L,
          1_000L,
          2_000L,
          5_000L,
          10_000L,
          15_000L,
          30_000L,
          60_000L,
          120_000L,
          300_000L,
          600_000L,
          900_000L,
          1_800_000L,
          3_600_000L);

  private static final double MICROS_PER_MILLI = 1000;

  private final long start;
  private final long width;
  private final long[] images;
  private final long[] problems;
  private final double[] busy;

  /**
   * @param started when the run started
   * @param ended not before that
   */
  PageTimeline(Instant started, Instant ended) {
    long millis = Math.max(1, Duration.between(started, ended).toMillis());
    this.start = started.toEpochMilli();
    this.width =
        WIDTHS.stream()
            .filter(each -> each * MOST >= millis)
            .findFirst()
            .orElse((millis / MOST / 3_600_000 + 1) * 3_600_000);
    int intervals = (int) ((millis - 1) / width) + 1;
    this.images = new long[intervals];
    this.problems = new long[intervals];
    this.busy = new double[intervals];
  }

  void add(Row row) {
    double end = // rows in flight count microseconds
        ManifestColumns.CREATED_AT.<Long>of(row) / MICROS_PER_MILLI - start;
    ImageStatus status = ImageStatus.labelled(ManifestColumns.STATUS.of(row));
    if (status == ImageStatus.GENERATED) {
      images[interval(end)]++;
    } else if (status.isFailure() || status == ImageStatus.BLOCKED) {
      problems[interval(end)]++;
    }
    double drawn = end - millis(row, ManifestColumns.STORE_MS.name());
    drawn -= millis(row, ManifestColumns.ENCODE_MS.name());
    work(drawn - millis(row, ManifestColumns.GENERATE_MS.name()), drawn);
  }

  static double millis(Row row, String column) {
    Double value = row.getAs(column);
    return value == null ? 0 : value;
  }

  /** A device draws from one time to another, in milliseconds since the start. */
  private void work(double from, double to) {
    for (int i = interval(from); from < to && i <= interval(to); i++) {
      double begin = i == 0 ? from : Math.max(from, i * (double) width);
      double end = i == busy.length - 1 ? to : Math.min(to, (i + 1) * (double) width);
      busy[i] += Math.max(0, end - begin);
    }
  }

  private int interval(double millis) {
    return (int) Math.max(0, Math.min(images.length - 1, Math.floor(millis / width)));
  }

  void add(PageTimeline other) {
    for (int i = 0; i < images.length; i++) {
      images[i] += other.images[i];
      problems[i] += other.problems[i];
      busy[i] += other.busy[i];
    }
  }

  int intervals() {
    return images.length;
  }

  /** Length of an interval, in seconds. */
  double seconds() {
    return width / 1000.0;
  }

  /** Images that were generated in an interval. */
  long images(int interval) {
    return images[interval];
  }

  /** Rows that were blocked, were invalid or failed in an interval. */
  long problems(int interval) {
    return problems[interval];
  }

  /** How many devices drew in an interval, on average, by when their rows were complete. */
  double slots(int interval) {
    return busy[interval] / width;
  }

  /**
   * How many devices drew in each interval, on average. A row is complete some time after its image
   * is drawn; so what no more than {@code most} devices can have drawn in an interval was drawn
   * before it.
   */
  double[] slotsOf(int most) {
    double[] slots = new double[busy.length];
    double later = 0;
    for (int i = slots.length - 1; i >= 0; i--) {
      double drawn = slots(i) + later;
      slots[i] = i == 0 ? drawn : Math.min(most, drawn);
      later = drawn - slots[i];
    }
    return slots;
  }
}
