package io.lightmill.udfs.table;

import io.lightmill.udfs.option.LakeFormat;
import java.io.IOException;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A Delta or Iceberg table that is named by its directory. Its data files alone are not the table:
 * they include rows that were deleted.
 */
record LakeTable(String location, LakeFormat format) {

  private static final String DELTA_LOG = "_delta_log";
  private static final String ICEBERG_METADATA = "metadata/*.metadata.json";

  /**
   * The table of a directory; empty if it is neither.
   *
   * @param named the format that the user gives; empty to look for it
   */
  static Optional<LakeTable> at(
      String location, Optional<TableFormat> named, Configuration hadoop) {
    if (named.isPresent()) {
      return named.get().lake().map(format -> new LakeTable(location, format));
    }
    try {
      Path path = new Path(location);
      FileSystem files = path.getFileSystem(hadoop);
      if (files.exists(new Path(path, DELTA_LOG))) {
        return Optional.of(new LakeTable(location, LakeFormat.DELTA));
      }
      FileStatus[] metadata = files.globStatus(new Path(path, ICEBERG_METADATA));
      return metadata != null && metadata.length > 0
          ? Optional.of(new LakeTable(location, LakeFormat.ICEBERG))
          : Optional.empty();
    } catch (IOException | IllegalArgumentException e) { // reported where the table is opened
      return Optional.empty();
    }
  }

  Dataset<Row> rows(SparkSession spark, TableVersion version) {
    format.require(location);
    return version.of(spark.read().format(format.label())).load(location);
  }
}
