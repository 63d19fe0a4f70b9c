package io.lightmill.udfs.progress;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.junit.jupiter.api.Test;

class ReportedRowsTest {

  @Test
  void onlyWhatThisRunDrewCounts() {
    List<Row> rows =
        List.of(
            row(ImageStatus.REUSED, null),
            row(ImageStatus.INVALID, null),
            row(ImageStatus.FAILED, null), // in an earlier run
            row(ImageStatus.GENERATED, 7.0),
            row(ImageStatus.GENERATED, null), // by an earlier attempt at the task
            row(ImageStatus.FAILED, 3.0),
            row(ImageStatus.PENDING, null));
    List<Long> finished = new ArrayList<>();
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
      ImageProgress.received(new TaskProgress("reported", 1, 1)); // or the last is still on its way
      assertThat(progress.firstTaskNanos()).isPresent();
    }
    assertThat(finished).last().isEqualTo(4L);
  }

  private static Row row(ImageStatus status, Double generateMillis) {
    Object[] values = new Object[Manifest.COLUMNS.size()];
    values[Manifest.COLUMNS.fieldIndex(ManifestColumns.STATUS.name())] = status.label();
    values[Manifest.COLUMNS.fieldIndex(ManifestColumns.GENERATE_MS.name())] = generateMillis;
    return RowFactory.create(values);
  }
}
