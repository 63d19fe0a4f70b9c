package io.lightmill.udfs.table;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.when;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.column.UntypedText;
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
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * A prompt table under its own column names, without white space around them. The columns of CSV are
 * {@link UntypedText}; all other tables keep their types.
 */
final class PromptTable {

  /** Holds the text of a line that does not fit the format; null in good rows. */
  static final String CORRUPT = "_corrupt_record";

  private PromptTable() {}

  /**
   * Opens the table. The first rows of a limited table come from the driver.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if the table does not exist, has no
   *     columns or is a stream
   */
  static Dataset<Row> read(SparkSession spark, PromptInput input) {
    try {
      Dataset<Row> rows =
          input.rows().isPresent()
              ? trimmed(input.location(), batch(input.rows().get()))
              : stored(spark, input);
      return input.limit().isPresent()
          ? spark.createDataFrame(rows.takeAsList(input.limit().getAsInt()), rows.schema())
          : rows;
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      throw TaskFailures.unreadable(input.location(), e);
    }
  }

  private static Dataset<Row> batch(Dataset<Row> rows) {
    if (rows.isStreaming()) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "the prompt table is a streaming DataFrame, which has no end; give a batch DataFrame,"
              + " such as that of foreachBatch");
    }
    return rows;
  }

  private static Dataset<Row> stored(SparkSession spark, PromptInput input) {
    TableFormat format = format(spark, input);
    Dataset<Row> rows = open(spark, format, input.location());
    if (format == TableFormat.TABLE) {
      return trimmed(input.location(), batch(rows));
    }
    checkReadable(input.location(), rows.columns());
    Dataset<Row> trimmed = trimmed(input.location(), rows);
    return format == TableFormat.CSV ? unclosedMarked(trimmed) : trimmed;
  }

  private static Dataset<Row> open(SparkSession spark, TableFormat format, String location) {
    return switch (format) {
      case CSV -> csv(spark, location);
      case PARQUET -> spark.read().parquet(location);
      case JSON -> spark.read().option("columnNameOfCorruptRecord", CORRUPT).json(location);
      case TABLE -> spark.table(location);
    };
  }

  private static TableFormat format(SparkSession spark, PromptInput input) {
    String location = input.location();
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    if (input.format().isEmpty()) {
      Optional<TableFormat> ofFiles = TableFormat.ofFiles(location, hadoop);
      return ofFiles.orElseGet(() -> table(spark, location, "file, directory or Spark table"));
    }
    TableFormat named = TableFormat.named(input.format().get());
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
        "prompt table '%s' does not exist: no %s has this name; check its spelling"
            .formatted(location, kind));
  }

  /**
   * RFC 4180: quotes are doubled inside quotes, and a quoted value may hold line ends. All files
   * must have the same header, so that no value is read under the name of another column.
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
    StructType header =
        new StructType(
            Arrays.stream(reader.csv(location).schema().fields())
                .map(UntypedText::marked)
                .toArray(StructField[]::new));
    return header.isEmpty()
        ? spark.emptyDataFrame()
        : reader.schema(header.add(CORRUPT, DataTypes.StringType)).csv(location);
  }

  /**
   * Marks a row whose last value holds the rest of its file, since its quote is never closed: the
   * parser makes the last line end a part of the value.
   */
  private static Dataset<Row> unclosedMarked(Dataset<Row> rows) {
    String[] names = rows.columns();
    Column last = col("`" + names[names.length - 2].replace("`", "``") + "`");
    return rows.withColumn(
        CORRUPT, coalesce(col(CORRUPT), when(last.rlike("(?s)\\n.*\\n$"), last)));
  }

  private static Dataset<Row> trimmed(String location, Dataset<Row> rows) {
    String[] names = stripped(rows.columns());
    if (names.length == 0) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "prompt table '%s' is empty: it has no columns; write a header with a column 'prompt'"
              .formatted(location));
    }
    if (names.length == 1 && names[0].equals(CORRUPT)) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "prompt table '%s' cannot be read: no line is a JSON object; write one object a line"
              .formatted(location));
    }
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

  private static String[] stripped(String[] names) {
    return Arrays.stream(names).map(String::strip).toArray(String[]::new);
  }

  /** The header of a file shows encodings and separators that Lightmill does not read. */
  private static void checkReadable(String location, String[] columns) {
    String[] names = stripped(columns);
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
          "prompt table '%s' has only one column, '%s'; save it with commas between the columns"
              .formatted(location, names[0].replace('\t', ' ')));
    }
  }
}
