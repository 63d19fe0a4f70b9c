package io.lightmill.udfs.table;

import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Where the prompts come from.
 *
 * @param rows that the caller has; empty to read them from the location
 * @param location a file, directory or glob of any Hadoop file system, or the name of a Spark
 *     table; of given rows, what messages call them
 * @param format {@code csv}, {@code parquet}, {@code json} or {@code table}; empty to decide by the
 *     location
 * @param columns the table's own column for each of Lightmill's, such as {@code prompt=caption}
 * @param promptTemplate such as {@code a {color} {name} on {background}}
 * @param limit rows to take; empty for all
 */
public record PromptInput(
    Optional<Dataset<Row>> rows,
    String location,
    Optional<String> format,
    Map<String, String> columns,
    Optional<String> promptTemplate,
    OptionalInt limit) {}
