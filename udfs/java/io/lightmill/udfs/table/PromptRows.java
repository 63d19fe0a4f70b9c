package io.lightmill.udfs.table;

import io.lightmill.udfs.column.RequestColumns;
import io.lightmill.udfs.column.UntypedText;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

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

  /**
   * The columns that the manifest repeats, as the table has them. A column of ids is text by
   * definition, and not {@link UntypedText}.
   */
  public StructType passthrough() {
    String ids = columns.sources().get(RequestColumns.ID);
    return new StructType(
        columns.passthrough().stream()
            .map(rows.schema()::apply)
            .map(
                field ->
                    field.name().equals(ids) ? UntypedText.typed(field, field.dataType()) : field)
            .toArray(StructField[]::new));
  }
}
