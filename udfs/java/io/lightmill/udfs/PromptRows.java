package io.lightmill.udfs;

import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** A prompt table that could be opened, and what its columns mean. */
record PromptRows(Dataset<Row> rows, PromptColumns columns) {

  /**
   * @throws io.lightmill.pipeline.LightmillException if there is no such table or its columns
   *     cannot serve
   */
  static PromptRows open(SparkSession spark, GenerationSettings.Table table) {
    Dataset<Row> rows = PromptTable.read(spark, table);
    return new PromptRows(rows, PromptColumns.assign(rows, table));
  }
}
