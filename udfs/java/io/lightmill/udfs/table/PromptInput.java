package io.lightmill.udfs.table;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Where the prompts of a job come from.
 *
 * @param rows the table itself; empty to read it from the location
 * @param location a file, directory or glob on any Hadoop file system, or the name of a Spark table
 * @param format a name of {@link TableFormat}; empty to tell it from the location
 * @param version of the table
 * @param columns the table's own column for each request column, such as {@code prompt=caption}
 * @param promptTemplate such as <code>a {color} {name} on {background}</code>
 * @param limit rows to take; empty for all
 */
public record PromptInput(
    Optional<Dataset<Row>> rows,
    String location,
    Optional<String> format,
    TableVersion version,
    Map<String, String> columns,
    Optional<String> promptTemplate,
    OptionalInt limit) {

  /** The location of a DataFrame, for messages. */
  public static final String DATA_FRAME = "the DataFrame";

  public PromptInput {
    columns = Map.copyOf(columns);
  }

  /** The newest version of a table. */
  public PromptInput(
      Optional<Dataset<Row>> rows,
      String location,
      Optional<String> format,
      Map<String, String> columns,
      Optional<String> promptTemplate,
      OptionalInt limit) {
    this(rows, location, format, TableVersion.NEWEST, columns, promptTemplate, limit);
  }

  /** All rows of a table at a location, under its own column names. */
  public static PromptInput at(String location) {
    return new PromptInput(
        Optional.empty(),
        location,
        Optional.empty(),
        Map.of(),
        Optional.empty(),
        OptionalInt.empty());
  }

  /** All rows of a DataFrame, under its own column names. */
  public static PromptInput of(Dataset<Row> rows) {
    return new PromptInput(
        Optional.of(rows),
        DATA_FRAME,
        Optional.empty(),
        Map.of(),
        Optional.empty(),
        OptionalInt.empty());
  }
}
