package io.lightmill.udfs.lakehouse;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.expressions.Cast;
import org.apache.spark.sql.catalyst.util.QuotingUtils;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.StructField;

/** A column of a manifest table whose type no longer holds the values of the manifest. */
record ColumnChange(SparkSession spark, TableName table, StructField column, DataType needed) {

  /** Whether a column takes all values of a type as they are. */
  static boolean fits(DataType values, DataType column) {
    return DataType.equalsIgnoreNullability(values, column) || Cast.canUpCast(values, column);
  }

  /**
   * Widens the column, as far as the format of the table can.
   *
   * @throws LightmillException with {@code STORE_FAILED} if it cannot
   */
  void apply() {
    try {
      spark.sql(
          "ALTER TABLE %s ALTER COLUMN %s TYPE %s"
              .formatted(
                  table.quoted(), QuotingUtils.quoteIdentifier(column.name()), needed.sql()));
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      throw new LightmillException(
          ErrorCode.STORE_FAILED,
          "column '%s' of manifest table '%s' is %s, and the manifest has %s now, which the table cannot change to; drop the table, which the next merge creates again from the output, or rename the column in the prompt table"
              .formatted(
                  column.name(), table, column.dataType().simpleString(), needed.simpleString()),
          e);
    }
  }
}
