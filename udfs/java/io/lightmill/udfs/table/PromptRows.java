package io.lightmill.udfs.table;

import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** The rows of a prompt table, and what its columns mean. */
public record PromptRows(Dataset<Row> rows, PromptColumns columns) {

  /**
   * @param reserved names of the manifest's own columns, which no other column may have
   * @throws io.lightmill.pipeline.LightmillException if the table does not exist or its columns do
   *     not fit
   */
  public static PromptRows open(SparkSession spark, PromptInput input, List<String> reserved) {
    Dataset<Row> rows = PromptTable.read(spark, input);
    return new PromptRows(rows, PromptColumns.assign(rows, input, reserved));
  }
}
