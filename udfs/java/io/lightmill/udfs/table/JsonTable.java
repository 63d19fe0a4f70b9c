package io.lightmill.udfs.table;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.from_json;
import static org.apache.spark.sql.functions.length;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.when;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * JSON files as a table with the types that Spark infers. No number is rounded without a word:
 * fractional numbers of request columns are text as the file has it, and a whole number that
 * another column of fractions cannot hold is an error of its row.
 */
final class JsonTable {

  private static final String TEXT = "text";
  private static final String ERROR = "error";
  private static final String OBJECT = "object";
  private static final Map<String, String> OPTIONS =
      Map.of("mode", "PERMISSIVE", "columnNameOfCorruptRecord", PromptTable.CORRUPT);

  /** Files of lines are read in ranges of this length. */
  private static final long RANGE_BYTES = 128L << 20;

  private static final int MIN_INEXACT_DIGITS = 16;

  private JsonTable() {}

  /**
   * Opens a table. Infers the types, which reads it.
   *
   * @param requested names of columns that Lightmill reads, {@linkplain ColumnNames#folded folded}
   * @param named whether the user says that the files are JSON; if not, lines of OpenAI's batch
   *     format are recognized
   */
  static PromptTable open(
      SparkSession spark, String location, TableFiles files, Set<String> requested, boolean named) {
    boolean batch =
        files.format() == TableFormat.OPENAI_BATCH
            || (!named && isBatch(files, FileRows.hadoop(spark)));
    StructType lines =
        new StructType().add(TEXT, DataTypes.StringType).add(ERROR, DataTypes.StringType);
    for (String partition : files.partitionColumns()) {
      lines = lines.add(partition, DataTypes.StringType);
    }
    Dataset<Row> texts =
        FileRows.dataset(
            spark,
            ranges(files.files(), FileRows.hadoop(spark)),
            lines,
            new JsonTexts(requested, batch));
    StructType inferred = inferred(spark, texts);
    if (inferred.isEmpty() && !texts.isEmpty()) {
      throw TableFile.invalid(
          "prompt table '%s' cannot be read: no line is a JSON object; write one object a line"
              .formatted(location),
          null);
    }
    return PromptTable.of(
        location, rows(texts, inferred, files.partitionColumns()), List.of(), List.of());
  }

  private static boolean isBatch(TableFiles files, Configuration hadoop) {
    if (files.files().isEmpty()) {
      return false;
    }
    TableFile first = files.files().get(0);
    try {
      return JsonTexts.isBatch(first, hadoop);
    } catch (IOException e) {
      throw first.unreadable(e);
    }
  }

  private static List<TableFile> ranges(List<TableFile> files, Configuration hadoop) {
    List<TableFile> ranges = new ArrayList<>();
    for (TableFile file : files) {
      try {
        if (file.length() <= RANGE_BYTES
            || !file.divisible(hadoop)
            || JsonTexts.isWhole(file, hadoop)) {
          ranges.add(file);
        } else {
          for (long start = 0; start < file.length(); start += RANGE_BYTES) {
            ranges.add(file.range(start, Math.min(start + RANGE_BYTES, file.length())));
          }
        }
      } catch (IOException e) {
        throw file.unreadable(e);
      }
    }
    return ranges;
  }

  private static StructType inferred(SparkSession spark, Dataset<Row> texts) {
    StructType all =
        spark
            .read()
            .options(OPTIONS)
            .json(texts.filter(col(TEXT).isNotNull()).select(TEXT).as(Encoders.STRING()))
            .schema();
    return new StructType(
        Arrays.stream(all.fields())
            .filter(field -> !field.name().equals(PromptTable.CORRUPT))
            .toArray(StructField[]::new));
  }

  private static Dataset<Row> rows(
      Dataset<Row> texts, StructType inferred, List<String> partitions) {
    StructType read = new StructType();
    for (StructField field : inferred.fields()) {
      read = read.add(field.name(), isFraction(field) ? DataTypes.StringType : field.dataType());
    }
    read = read.add(PromptTable.CORRUPT, DataTypes.StringType);
    List<Column> columns = new ArrayList<>();
    List<Column> errors = new ArrayList<>();
    errors.add(col(ERROR));
    for (StructField field : inferred.fields()) {
      Column value = col(OBJECT).getField(field.name());
      if (isFraction(field)) {
        errors.add(inexact(field.name(), value));
        value = value.try_cast(DataTypes.DoubleType);
      }
      columns.add(value.as(field.name()));
    }
    errors.add(
        when(
            col(OBJECT).getField(PromptTable.CORRUPT).isNotNull(),
            PromptTable.unfit(col(OBJECT).getField(PromptTable.CORRUPT))));
    if (!inferred.isEmpty()) {
      columns.add(coalesce(errors.toArray(Column[]::new)).as(PromptTable.CORRUPT));
    }
    partitions.forEach(name -> columns.add(col("`" + name.replace("`", "``") + "`")));
    return texts
        .withColumn(OBJECT, from_json(col(TEXT), read, OPTIONS))
        .select(columns.toArray(Column[]::new));
  }

  private static boolean isFraction(StructField field) {
    return field.dataType().equals(DataTypes.DoubleType);
  }

  /** The error of a whole number of many digits that a double does not hold; null for others. */
  private static Column inexact(String name, Column text) {
    DataType exact = DataTypes.createDecimalType(38, 0);
    Column same =
        text.try_cast(DataTypes.DoubleType).try_cast(exact).eqNullSafe(text.try_cast(exact));
    return when(
        length(text)
            .geq(MIN_INEXACT_DIGITS) // most numbers need no closer look
            .and(text.rlike("^-?\\d+$"))
            .and(same.unary_$bang()),
        concat(
            lit("column '" + name + "' has fractions in other rows, and cannot hold "),
            text,
            lit(" without rounding; write the column as text")));
  }
}
