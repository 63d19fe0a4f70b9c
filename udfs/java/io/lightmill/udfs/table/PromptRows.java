package io.lightmill.udfs.table;

import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** A prompt table that could be opened, and what its columns mean. */
public record PromptRows(Dataset<Row> rows, PromptColumns columns) {

  /**
   * @param reserved names of the manifest's own columns, which no other column may have
   * @throws io.lightmill.pipeline.LightmillException if there is no such table or its columns
   *     cannot serve
   */
  public static PromptRows open(
      SparkSession spark, PromptInput table, List<String> reserved) {
    Dataset<Row> rows = PromptTable.read(spark, table);
    return new PromptRows(rows, PromptColumns.assign(rows, table, reserved));
  }
}
