package io.lightmill.udfs.manifest;

import java.util.Arrays;
import java.util.function.Function;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructType;

/**
 * A column of the manifest's own. {@link ManifestColumns} has them all.
 *
 * @param aboutRun whether it describes the run and not the image: such a column differs from
 *     attempt to attempt, and so is not stored beside the image in a shard
 * @param filling gives the value of a row
 */
public record ManifestColumn(
    String name, DataType type, boolean aboutRun, Function<ManifestRow, Object> filling) {

  static ManifestColumn ofImage(String name, DataType type, Function<ManifestRow, Object> filling) {
    return new ManifestColumn(name, type, false, filling);
  }

  static ManifestColumn ofRun(String name, DataType type, Function<ManifestRow, Object> filling) {
    return new ManifestColumn(name, type, true, filling);
  }

  /** A column that the plan has under the same name. */
  static ManifestColumn planned(String name, DataType type) {
    return ofImage(name, type, row -> row.planned().getAs(name));
  }

  /** Columns as the schema of rows that have these and no others. */
  public static StructType schema(ManifestColumn... columns) {
    return schema(Arrays.asList(columns));
  }

  static StructType schema(Iterable<ManifestColumn> columns) {
    StructType schema = new StructType();
    for (ManifestColumn column : columns) {
      schema = schema.add(column.name, column.type);
    }
    return schema;
  }

  /** The column in a Spark expression. */
  public Column col() {
    return functions.col(name);
  }

  /** The value in a row that has the column. */
  @SuppressWarnings("TypeParameterUnusedInFormals") // as Row.getAs
  public <T> T of(Row row) {
    return row.getAs(name);
  }
}
