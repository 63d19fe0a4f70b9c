package io.lightmill.udfs.table;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.left;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.trim;
import static org.apache.spark.sql.functions.when;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.column.RequestColumn;
import io.lightmill.udfs.column.RequestColumns;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructType;

/**
 * The rows of any table in the form that {@link RequestReader} reads: the request columns as text,
 * since CSV has nothing else and one way of reading numbers is enough; all other columns in a
 * struct of their own, where no name clashes.
 */
public final class RequestRows {

  /** Struct of the passthrough columns, with their types. */
  public static final String PASSTHROUGH = "passthrough";

  /** Text; null if the row's id is null or empty. */
  public static final String ID = "id";

  /** From 1, among the rows of one id. */
  public static final String OCCURRENCE = "occurrence";

  /** Struct with a text for each {@link RequestColumn}; null where the row has no value. */
  public static final String REQUESTED = "requested";

  /** Array of the texts for the placeholders of the prompt template. */
  static final String PLACEHOLDERS = "placeholders";

  /** The text of a line that does not fit the format of the table; null in good rows. */
  static final String CORRUPT = "corrupt";

  private static final int DERIVED_ID_DIGITS = 16;

  private RequestRows() {}

  /**
   * Brings a table into that form. Without an id column, the id of a row is a hash of its values,
   * with a number if there are several identical rows; it does not matter which of them gets which.
   *
   * <p>The shuffle that counts the rows of an id also spreads the table over the cluster: a CSV
   * file arrives in one partition.
   */
  public static Dataset<Row> of(Dataset<Row> table, PromptColumns columns) {
    boolean identified = columns.sources().containsKey(RequestColumns.ID);
    Dataset<Row> rows =
        table.select(
            struct(named(columns.passthrough())).as(PASSTHROUGH),
            (identified ? givenId(columns) : derivedId(table)).as(ID),
            struct(requested(table, columns)).as(REQUESTED),
            array(placeholders(columns)).cast("array<string>").as(PLACEHOLDERS),
            corrupt(table).as(CORRUPT));
    Column occurrence = row_number().over(Window.partitionBy(ID).orderBy(ID));
    Dataset<Row> numbered = rows.withColumn(OCCURRENCE, occurrence);
    return identified
        ? numbered
        : numbered.withColumn(
            ID,
            when(col(OCCURRENCE).gt(1), concat(col(ID), lit("-"), col(OCCURRENCE)))
                .otherwise(col(ID)));
  }

  /** The type of the passthrough columns. */
  public static StructType passthrough(StructType requests) {
    return (StructType) requests.apply(PASSTHROUGH).dataType();
  }

  private static Column givenId(PromptColumns columns) {
    Column id = column(columns.sources().get(RequestColumns.ID)).cast("string");
    return when(trim(id).notEqual(""), id);
  }

  /** The id of a row without one, by its values as JSON. */
  public static String derivedId(String json) {
    return DigestUtils.sha256Hex(json).substring(0, DERIVED_ID_DIGITS);
  }

  /** SHA-256 of the row as JSON, columns sorted by name, nulls left out, times in UTC. */
  private static Column derivedId(Dataset<Row> table) {
    List<String> sorted = Arrays.stream(table.columns()).sorted().toList();
    Column json = to_json(struct(named(sorted)), Map.of("timeZone", "UTC"));
    return left(sha2(json.cast("binary"), 256), lit(DERIVED_ID_DIGITS));
  }

  private static Column[] requested(Dataset<Row> table, PromptColumns columns) {
    return RequestColumns.ALL.stream()
        .map(column -> requested(table, column.name(), columns.sources().get(column)))
        .toArray(Column[]::new);
  }

  private static Column requested(Dataset<Row> table, String name, String source) {
    if (source == null) {
      return lit(null).cast("string").as(name);
    }
    DataType type = table.schema().apply(source).dataType();
    if (type instanceof StructType
        || type instanceof ArrayType
        || type instanceof MapType
        || type instanceof BinaryType) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "column '%s' of the prompt table is of type %s, which %s cannot be read from; give text or numbers"
              .formatted(source, type.simpleString(), name));
    }
    return column(source).cast("string").as(name);
  }

  private static Column[] placeholders(PromptColumns columns) {
    return columns
        .template()
        .map(t -> t.columns().stream().map(c -> column(c).cast("string")).toArray(Column[]::new))
        .orElseGet(() -> new Column[0]);
  }

  private static Column corrupt(Dataset<Row> table) {
    boolean marked = Arrays.asList(table.columns()).contains(PromptTable.CORRUPT);
    return marked ? col(PromptTable.CORRUPT) : lit(null).cast("string");
  }

  private static Column[] named(List<String> names) {
    return names.stream().map(RequestRows::column).toArray(Column[]::new);
  }

  /** A column by its whole name, dots and all. */
  private static Column column(String name) {
    return col("`" + name.replace("`", "``") + "`");
  }
}
