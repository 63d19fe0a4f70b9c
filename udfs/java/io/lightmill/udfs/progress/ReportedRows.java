package io.lightmill.udfs.progress;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.manifest.ManifestColumns;
import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/**
 * Counts the drawn images among the manifest rows of a partition as they pass, and reports to the
 * driver a few times a second. Pending and reused rows do not count as drawn.
 */
public final class ReportedRows implements Iterator<Row> {

  private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

  private final Iterator<Row> rows;
  private final String run;
  private final int partition;
  private final int status;
  private final int generateMillis;
  private final RunMetrics metrics = RunMetrics.ofExecutor();
  private RowCounts counts = RowCounts.NONE;
  private RowCounts published = RowCounts.NONE;
  private long drawn;
  private long reportedAt;

  /**
   * @param rows of a manifest
   * @param schema of the rows, which have none themselves
   * @param run see {@link DrawingStop#key}
   */
  public ReportedRows(Iterator<Row> rows, StructType schema, String run, int partition) {
    this.rows = rows;
    this.status = schema.fieldIndex(ManifestColumns.STATUS.name());
    this.generateMillis = schema.fieldIndex(ManifestColumns.GENERATE_MS.name());
    this.run = run;
    this.partition = partition;
    report();
  }

  @Override
  public boolean hasNext() {
    boolean more = rows.hasNext();
    if (!more || System.nanoTime() - reportedAt >= INTERVAL_NANOS) {
      report();
    }
    return more;
  }

  @Override
  public Row next() {
    Row row = rows.next();
    drawn += isDrawn(row) ? 1 : 0;
    counts =
        counts.and(
            ImageStatus.labelled(row.getString(status)),
            row.isNullAt(generateMillis) ? 0 : row.getDouble(generateMillis));
    return row;
  }

  /** An image that an earlier run or a check of its prompt has settled took no time on a device. */
  private boolean isDrawn(Row row) {
    return switch (ImageStatus.labelled(row.getString(status))) {
      case GENERATED -> true;
      case BLOCKED, FAILED, UNCERTAIN -> !row.isNullAt(generateMillis);
      case REUSED, INVALID, PENDING -> false;
    };
  }

  private void report() {
    reportedAt = System.nanoTime();
    metrics.count(counts.beyond(published));
    published = counts;
    ProgressPlugin.send(new TaskProgress(run, partition, drawn, counts));
  }
}
