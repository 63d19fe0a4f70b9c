package io.lightmill.udfs.table;

import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * The rows of a prompt table, and what its columns mean.
 *
 * @param notices what was left out of the table, or understood in a way that the user should know;
 *     one sentence each
 */
public record PromptRows(Dataset<Row> rows, PromptColumns columns, List<String> notices) {

  /**
   * @param reserved names of the manifest's own columns, which no other column may have
   * @throws io.lightmill.pipeline.LightmillException if the table does not exist or its columns do
   *     not fit
   */
  public static PromptRows open(SparkSession spark, PromptInput input, List<String> reserved) {
    PromptTable table = PromptTable.read(spark, input);
    ColumnAssignment assignment = new ColumnAssignment(table, input, reserved);
    return new PromptRows(table.rows(), assignment.columns(), assignment.notices());
  }
}
