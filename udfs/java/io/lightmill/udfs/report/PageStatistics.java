package io.lightmill.udfs.report;

import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import java.io.Serializable;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** What a page counts over all rows of a run. */
final class PageStatistics implements Serializable {

  /** Columns that are counted. */
  private static final List<ManifestColumn> COLUMNS =
      List.of(
          ManifestColumns.STATUS,
          ManifestColumns.ERROR_CODE,
          ManifestColumns.ERROR_MESSAGE,
          ManifestColumns.VERDICT,
          ManifestColumns.VERDICT_CATEGORY,
          ManifestColumns.VERDICT_RULE,
          ManifestColumns.CREATED_AT,
          ManifestColumns.GENERATE_MS,
          ManifestColumns.ENCODE_PROMPT_MS,
          ManifestColumns.DENOISE_MS,
          ManifestColumns.DECODE_MS,
          ManifestColumns.ENCODE_MS,
          ManifestColumns.STORE_MS,
          ManifestColumns.DEVICE);

  private static final int MOST_REASONS = 200;
  private static final int MOST_DEVICES = 1_000;
  private static final double MILLIS_PER_SECOND = 1000;

  /** A part of the work on an image, with what it is called on the page. */
  enum Phase {
    ENCODE_PROMPTS("encode prompts"),
    DENOISE("denoise"),
    DECODE("decode"),
    OTHER("other device time"),
    ENCODE("encode files"),
    STORE("store");

    private final String label;

    Phase(String label) {
      this.label = label;
    }

    String label() {
      return label;
    }
  }

  /**
   * The rows of one reason.
   *
   * @param example message of one of them
   */
  record Tally(long rows, String example) implements Serializable {

    private Tally plus(Tally other) {
      return new Tally(rows + other.rows, example == null ? other.example : example);
    }
  }

  /** A reason with its rows. */
  record Reason(PageReason reason, Tally tally) {}

  private final PageTimeline timeline;
  private final Map<Phase, Double> phases = new EnumMap<>(Phase.class);
  private final Map<PageReason, Tally> reasons = new TreeMap<>();
  private final Set<String> devices = new TreeSet<>();

  PageStatistics(Instant started, Instant ended) {
    timeline = new PageTimeline(started, ended);
  }

  /**
   * Counts the rows of a run.
   *
   * @param rows in flight
   * @param shown those of them that are in this process
   * @param all number of the rows
   */
  static PageStatistics of(
      Dataset<Row> rows, List<Row> shown, long all, Instant started, Instant ended) {
    if (shown.size() == all) {
      return new PageStatistics(started, ended).with(shown.iterator());
    }
    return rows.select(COLUMNS.stream().map(ManifestColumn::col).toArray(Column[]::new))
        .javaRDD()
        .mapPartitions(part -> List.of(new PageStatistics(started, ended).with(part)).iterator())
        .treeReduce(PageStatistics::with);
  }

  private PageStatistics with(Iterator<Row> rows) {
    rows.forEachRemaining(this::add);
    return this;
  }

  private PageStatistics with(PageStatistics other) {
    timeline.add(other.timeline);
    other.phases.forEach(this::work);
    other.reasons.forEach(this::count);
    other.devices.forEach(this::device);
    return this;
  }

  void add(Row row) {
    timeline.add(row);
    double encode = PageTimeline.millis(row, ManifestColumns.ENCODE_PROMPT_MS.name());
    double denoise = PageTimeline.millis(row, ManifestColumns.DENOISE_MS.name());
    double decode = PageTimeline.millis(row, ManifestColumns.DECODE_MS.name());
    double device = PageTimeline.millis(row, ManifestColumns.GENERATE_MS.name());
    work(Phase.ENCODE_PROMPTS, encode);
    work(Phase.DENOISE, denoise);
    work(Phase.DECODE, decode);
    work(Phase.OTHER, Math.max(0, device - encode - denoise - decode));
    work(Phase.ENCODE, PageTimeline.millis(row, ManifestColumns.ENCODE_MS.name()));
    work(Phase.STORE, PageTimeline.millis(row, ManifestColumns.STORE_MS.name()));
    PageReason.of(row)
        .ifPresent(reason -> count(reason, new Tally(1, ManifestColumns.ERROR_MESSAGE.of(row))));
    String name = ManifestColumns.DEVICE.of(row);
    if (name != null) {
      device(name);
    }
  }

  private void work(Phase phase, double millis) {
    phases.merge(phase, millis, Double::sum);
  }

  private void device(String name) {
    if (devices.size() < MOST_DEVICES) {
      devices.add(name);
    }
  }

  private void count(PageReason reason, Tally tally) {
    PageReason key =
        reasons.containsKey(reason) || reasons.size() < MOST_REASONS ? reason : PageReason.OTHERS;
    reasons.merge(key, tally, Tally::plus);
  }

  PageTimeline timeline() {
    return timeline;
  }

  /** Time of all devices or threads together, in seconds. */
  double seconds(Phase phase) {
    return phases.getOrDefault(phase, 0.0) / MILLIS_PER_SECOND;
  }

  /** Failures before blocked and flagged rows, and of these the most frequent first. */
  List<Reason> reasons() {
    List<Reason> sorted = new ArrayList<>();
    reasons.forEach((reason, tally) -> sorted.add(new Reason(reason, tally)));
    sorted.sort(
        Comparator.<Reason>comparingInt(each -> each.reason().rank())
            .thenComparingLong(each -> -each.tally().rows()));
    return sorted;
  }

  /** Names of the devices that drew. */
  Set<String> devices() {
    return devices;
  }
}
