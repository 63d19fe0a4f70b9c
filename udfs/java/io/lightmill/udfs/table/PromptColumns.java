package io.lightmill.udfs.table;

import io.lightmill.udfs.column.ColumnTemplate;
import io.lightmill.udfs.column.RequestColumn;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Which column of a table means what. Names are compared without case, as Spark does.
 *
 * @param sources the table's column for each request column that it has
 * @param size the column that gives width and height in one, such as 512x768
 * @param template makes the prompt instead of a column; its placeholders name columns of the table
 * @param passthrough the columns that are copied to the manifest, in the table's order. A column
 *     that is read under another name is one of them, so that the manifest can be joined to the
 *     table
 */
public record PromptColumns(
    Map<RequestColumn<?>, String> sources,
    Optional<String> size,
    Optional<ColumnTemplate> template,
    List<String> passthrough) {

  /** The kind of the template, for messages. */
  public static final String TEMPLATE = "prompt template";

  /**
   * Assigns a table's columns.
   *
   * @param rows the table
   * @param input its column map and template
   * @param reserved names of the manifest's own columns, which no other column may have
   * @throws io.lightmill.pipeline.LightmillException with {@code INPUT_INVALID} or {@code
   *     CONFIGURATION_INVALID} if the table has no prompt, or the column map or the template does
   *     not fit it
   */
  public static PromptColumns assign(Dataset<Row> rows, PromptInput input, List<String> reserved) {
    PromptTable table = new PromptTable(rows, List.of(), List.of());
    return new ColumnAssignment(table, input, reserved).columns();
  }
}
