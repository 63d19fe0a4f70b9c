package io.lightmill.udfs.progress;

import java.util.Iterator;
import java.util.concurrent.TimeUnit;
import org.apache.spark.sql.Row;

/** Counts the rows of a partition as they pass, and reports to the driver a few times a second. */
public final class ReportedRows implements Iterator<Row> {

  private static final long INTERVAL_NANOS = TimeUnit.MILLISECONDS.toNanos(250);

  private final Iterator<Row> rows;
  private final String run;
  private final int partition;
  private long finished;
  private long reportedAt;

  public ReportedRows(Iterator<Row> rows, String run, int partition) {
    this.rows = rows;
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
    finished++;
    return row;
  }

  private void report() {
    reportedAt = System.nanoTime();
    ProgressPlugin.send(new TaskProgress(run, partition, finished));
  }
}
