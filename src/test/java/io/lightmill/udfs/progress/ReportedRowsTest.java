package io.lightmill.udfs.progress;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Test;

class ReportedRowsTest {

  @Test
  void onlyWhatThisRunDrewCounts() throws InterruptedException {
    List<Row> rows =
        List.of(
            row(ImageStatus.REUSED, null),
            row(ImageStatus.INVALID, null),
            row(ImageStatus.FAILED, null), // in an earlier run
            row(ImageStatus.GENERATED, 7.0),
            row(ImageStatus.GENERATED, null), // by an earlier attempt at the task
            row(ImageStatus.FAILED, 3.0),
            row(ImageStatus.PENDING, null));
    BlockingQueue<Long> finished = new LinkedBlockingQueue<>();
    RunListener listener =
        new RunListener() {
          @Override
          public void finished(long images) {
            finished.add(images);
          }
        };
    try (ImageProgress progress =
        ImageProgress.follow("reported", listener, OptionalInt.empty(), Optional.empty())) {
      ReportedRows reported = new ReportedRows(rows.iterator(), Manifest.COLUMNS, "reported", 0);
      reported.forEachRemaining(row -> {});

      long last = 0;
      while (last < 3) { // a report may come before the end
        last = finished.poll(20, TimeUnit.SECONDS);
      }
      assertThat(last).isEqualTo(3);
      assertThat(progress.firstTaskNanos()).isPresent();
    }
  }

  private static Row row(ImageStatus status, Double generateMillis) {
    Object[] values = new Object[Manifest.COLUMNS.size()];
    values[Manifest.COLUMNS.fieldIndex(ManifestColumns.STATUS.name())] = status.label();
    values[Manifest.COLUMNS.fieldIndex(ManifestColumns.GENERATE_MS.name())] = generateMillis;
    return RowFactory.create(values);
  }
}
