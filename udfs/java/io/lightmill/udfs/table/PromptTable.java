package io.lightmill.udfs.table;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.when;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.apache.commons.lang3.StringUtils;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.DataFrameReader;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * The table as its author wrote it, under the author's column names, less the white space around
 * them. CSV stays text; Parquet, JSON lines and Spark tables keep their types.
 */
final class PromptTable {

  /** Holds the text of a line that the format's own rules refuse; null in good rows. */
  static final String CORRUPT = "_corrupt_record";

  private PromptTable() {}

  /**
   * Opens the table; of a limited one, the first rows, by way of the driver.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if there is no such table or it has no
   *     columns
   */
  static Dataset<Row> read(SparkSession spark, PromptInput table) {
    try {
      Dataset<Row> rows = table.rows().orElseGet(() -> stored(spark, table));
      return table.limit().isPresent()
          ? spark.createDataFrame(rows.takeAsList(table.limit().getAsInt()), rows.schema())
          : rows;
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      throw TaskFailures.unreadable(table.location(), e);
    }
  }

  private static Dataset<Row> stored(SparkSession spark, PromptInput table) {
    TableFormat format = format(spark, table);
    Dataset<Row> rows = trimmed(table.location(), open(spark, format, table.location()));
    return format == TableFormat.CSV ? unclosedMarked(rows) : rows;
  }

  private static Dataset<Row> open(SparkSession spark, TableFormat format, String location) {
    return switch (format) {
      case CSV -> csv(spark, location);
      case PARQUET -> spark.read().parquet(location);
      case JSON -> spark.read().option("columnNameOfCorruptRecord", CORRUPT).json(location);
      case TABLE -> spark.table(location);
    };
  }

  private static TableFormat format(SparkSession spark, PromptInput table) {
    String location = table.location();
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    if (table.format().isEmpty()) {
      Optional<TableFormat> ofFiles = TableFormat.ofFiles(location, hadoop);
      return ofFiles.orElseGet(() -> table(spark, location, "file, directory or Spark table"));
    }
    TableFormat named = TableFormat.named(table.format().get());
    if (named == TableFormat.TABLE) {
      return table(spark, location, "Spark table");
    }
    if (!TableFormat.exists(location, hadoop)) {
      throw missing(location, "file or directory");
    }
    return named;
  }

  private static TableFormat table(SparkSession spark, String name, String kind) {
    if (name.matches("\\w+(\\.\\w+)*") && spark.catalog().tableExists(name)) {
      return TableFormat.TABLE;
    }
    throw missing(name, kind);
  }

  private static LightmillException missing(String location, String kind) {
    return new LightmillException(
        ErrorCode.INPUT_INVALID,
        "prompt table '%s' does not exist: there is no %s of this name; check its spelling"
            .formatted(location, kind));
  }

  /**
   * RFC 4180: quotes are doubled inside quotes, and a quoted value may hold line ends. Every file
   * must carry the same header, lest values land under the names of others.
   */
  private static Dataset<Row> csv(SparkSession spark, String location) {
    DataFrameReader reader =
        spark
            .read()
            .option("header", true)
            .option("multiLine", true)
            .option("quote", "\"")
            .option("escape", "\"")
            .option("unescapedQuoteHandling", "RAISE_ERROR")
            .option("enforceSchema", false)
            .option("mode", "PERMISSIVE")
            .option("columnNameOfCorruptRecord", CORRUPT);
    StructType header = reader.csv(location).schema();
    return header.isEmpty()
        ? spark.emptyDataFrame()
        : reader.schema(header.add(CORRUPT, DataTypes.StringType)).csv(location);
  }

  /**
   * Marks a row whose last value has swallowed the rest of its file, since its quote is never
   * closed: the parser takes the last line end for a part of it.
   */
  private static Dataset<Row> unclosedMarked(Dataset<Row> rows) {
    String[] names = rows.columns();
    Column last = col("`" + names[names.length - 2].replace("`", "``") + "`");
    return rows.withColumn(
        CORRUPT, coalesce(col(CORRUPT), when(last.rlike("(?s)\\n.*\\n$"), last)));
  }

  private static Dataset<Row> trimmed(String location, Dataset<Row> rows) {
    String[] names = Arrays.stream(rows.columns()).map(String::strip).toArray(String[]::new);
    if (names.length == 0) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "prompt table '%s' is empty: it has no header and no rows".formatted(location));
    }
    if (names.length == 1 && names[0].equals(CORRUPT)) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "prompt table '%s' cannot be read: no line is a JSON object; write one object a line"
              .formatted(location));
    }
    checkReadable(location, names);
    Set<String> seen = new HashSet<>();
    for (String name : names) {
      if (!seen.add(name.toLowerCase(Locale.ROOT))) {
        throw new LightmillException(
            ErrorCode.INPUT_INVALID,
            "prompt table '%s' has two columns named '%s' (case and spaces aside); rename one"
                .formatted(location, name));
      }
    }
    return rows.toDF(names);
  }

  /** What else than our CSV a table was saved as shows in its header. */
  private static void checkReadable(String location, String[] names) {
    String header = String.join(",", names);
    if (header.indexOf('\uFFFD') >= 0 || header.indexOf('\0') >= 0) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the header of prompt table '%s' is not UTF-8; save the table in UTF-8"
              .formatted(location));
    }
    boolean alone = Arrays.stream(names).filter(name -> !name.equals(CORRUPT)).count() == 1;
    if (alone && StringUtils.containsAny(header, ';', '\t', '|')) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "prompt table '%s' has the one column '%s'; save it with commas between the columns"
              .formatted(location, names[0].replace('\t', ' ')));
    }
  }
}
