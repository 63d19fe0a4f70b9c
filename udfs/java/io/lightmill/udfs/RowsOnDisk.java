package io.lightmill.udfs;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/** Rows that are computed once and kept on the executors' disks until closed. */
record RowsOnDisk(Dataset<Row> rows) implements AutoCloseable {

  static RowsOnDisk of(Dataset<Row> rows) {
    return new RowsOnDisk(rows.persist(StorageLevel.DISK_ONLY()));
  }

  @Override
  public void close() {
    rows.unpersist();
  }
}
