package io.lightmill.udfs.table;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.substring;
import static org.apache.spark.sql.functions.trim;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.InvisibleCharacters;
import io.lightmill.pipeline.LightmillException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;

/**
 * A prompt table under its own column names, without white space around them. The columns of CSV
 * are {@link io.lightmill.udfs.column.UntypedText}; all other tables keep their types.
 *
 * @param rows the table, without the columns that cannot be read
 * @param unread columns that the files have and Spark cannot read
 * @param notices what was left out or how something was understood, one sentence each
 */
record PromptTable(Dataset<Row> rows, List<UnreadColumn> unread, List<String> notices) {

  PromptTable {
    notices = List.copyOf(notices);
  }

  /** Says what is wrong with a row that cannot be read; null in good rows. */
  static final String CORRUPT = "_corrupt_record";

  private static final String UNNAMED = "_unnamed_";

  private static final int MAX_LINE_IN_MESSAGES = 80;

  /**
   * A column that cannot be read.
   *
   * @param reason such as {@code its type is INT64 (TIMESTAMP(NANOS,true)), which Spark cannot
   *     read}
   */
  record UnreadColumn(String name, String reason) {}

  /**
   * Opens the table. The first rows of a limited table come from the driver.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if the table does not exist, has no
   *     columns or is a stream
   */
  static PromptTable read(SparkSession spark, PromptInput input) {
    try {
      PromptTable table = input.rows().isPresent() ? given(input) : stored(spark, input);
      return input.limit().isPresent() ? table.first(spark, input.limit().getAsInt()) : table;
    } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
      throw TaskFailures.unreadable(input.location(), e);
    }
  }

  /**
   * A table under the names that its columns have without white space.
   *
   * @throws LightmillException with {@code INPUT_INVALID} if it has no columns, or two of one name
   */
  static PromptTable of(
      String location, Dataset<Row> rows, List<UnreadColumn> unread, List<String> notices) {
    String[] names =
        Arrays.stream(rows.columns()).map(InvisibleCharacters::stripped).toArray(String[]::new);
    if (Arrays.stream(names).allMatch(CORRUPT::equals)) {
      throw invalid(
          "prompt table '%s' is empty: it has no columns; write a header with a column 'prompt'"
              .formatted(location));
    }
    List<String> unnamed = new ArrayList<>();
    for (int i = 0; i < names.length; i++) {
      if (names[i].isEmpty()) {
        names[i] = UNNAMED + i;
        unnamed.add(names[i]);
      }
    }
    checkNames(location, names);
    List<String> all = new ArrayList<>(notices);
    if (!unnamed.isEmpty()) {
      all.add(
          "prompt table '%s' has columns without a name, which are not read; name them to copy them to the manifest"
              .formatted(location));
    }
    return new PromptTable(
        rows.toDF(names).drop(unnamed.toArray(String[]::new)), List.copyOf(unread), all);
  }

  /** Refuses two columns that Spark, and readers of the manifest, cannot tell apart. */
  static void checkNames(String location, String... names) {
    Map<String, String> seen = new HashMap<>();
    for (String name : names) {
      String first = seen.putIfAbsent(name.toLowerCase(Locale.ROOT), name);
      if (first != null) {
        throw invalid(
            "prompt table '%s' has two columns named '%s' (case and spaces aside); rename one"
                .formatted(location, first));
      }
    }
  }

  private PromptTable first(SparkSession spark, int limit) {
    return new PromptTable(
        spark.createDataFrame(rows.takeAsList(limit), rows.schema()), unread, notices);
  }

  private static PromptTable given(PromptInput input) {
    input.version().requireNewest(input.location());
    return given(input.location(), input.rows().orElseThrow());
  }

  /** Of a DataFrame or a Spark table, whose corrupt records are the text of a line. */
  private static PromptTable given(String location, Dataset<Row> rows) {
    if (rows.isStreaming()) {
      throw invalid(
          "the prompt table is a streaming DataFrame, which has no end; give a batch DataFrame,"
              + " such as that of foreachBatch");
    }
    PromptTable table = of(location, rows, List.of(), List.of());
    return Arrays.asList(table.rows().columns()).contains(CORRUPT)
        ? new PromptTable(
            table.rows().withColumn(CORRUPT, unfit(col(CORRUPT))), List.of(), table.notices())
        : table;
  }

  /** The error of a line that does not fit the table's format; null for null. */
  static Column unfit(Column line) {
    return concat(
        lit("the line does not fit the table's format: '"),
        substring(trim(line.cast(DataTypes.StringType)), 1, MAX_LINE_IN_MESSAGES),
        lit(
            "'; enclose values that hold commas, quotes or line ends in double quotes, and double"
                + " the quotes inside"));
  }

  private static PromptTable stored(SparkSession spark, PromptInput input) {
    String location = input.location();
    Configuration hadoop = FileRows.hadoop(spark);
    Optional<TableFormat> named = input.format().map(TableFormat::named);
    if (named.equals(Optional.of(TableFormat.TABLE))) {
      return given(location, table(spark, input, "Spark table"));
    }
    Optional<LakeTable> lake = LakeTable.at(location, named, hadoop);
    if (lake.isPresent()) {
      return given(location, lake.get().rows(spark, input.version()));
    }
    Optional<TableFiles> files = TableFiles.at(location, named, hadoop);
    if (files.isEmpty()) {
      if (named.isPresent()) {
        throw missing(location, "file or directory");
      }
      return given(location, table(spark, input, "file, directory or Spark table"));
    }
    input.version().requireNewest(location);
    return switch (files.get().format()) {
      case CSV -> CsvTable.open(spark, location, files.get());
      case JSON, OPENAI_BATCH ->
          JsonTable.open(
              spark, location, files.get(), ColumnNames.requested(input), named.isPresent());
      case PARQUET -> ParquetTable.open(spark, location, files.get());
      case DELTA, ICEBERG, TABLE -> throw new IllegalStateException("no file is such a table");
    };
  }

  private static Dataset<Row> table(SparkSession spark, PromptInput input, String kind) {
    String name = input.location();
    if (name.matches("(\\w+|`[^`]+`)(\\.(\\w+|`[^`]+`))*") && spark.catalog().tableExists(name)) {
      return input.version().isNewest()
          ? spark.table(name)
          : spark.sql("SELECT * FROM " + name + input.version().clause());
    }
    throw missing(name, kind);
  }

  private static LightmillException missing(String location, String kind) {
    return invalid(
        "prompt table '%s' does not exist: no %s has this name; check its spelling"
            .formatted(location, kind));
  }

  private static LightmillException invalid(String message) {
    return new LightmillException(ErrorCode.INPUT_INVALID, message);
  }
}
