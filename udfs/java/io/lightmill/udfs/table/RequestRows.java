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
import java.util.Arrays;
import java.util.List;
import java.util.Map;
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
 * The rows of any table in the one form that is validated: its request columns as text, since CSV
 * has no other and one way of reading numbers is enough; all else in a struct of its own, where it
 * clashes with nothing.
 */
public final class RequestRows {

  /** Struct of the passthrough columns, with their types. */
  public static final String PASSTHROUGH = "passthrough";

  /** Text; null if the row's id is null or empty. */
  public static final String ID = "id";

  /** From 1, among the rows of one id. */
  public static final String OCCURRENCE = "occurrence";

  /** Struct of a text for each {@link RequestColumn}; null where there is no value. */
  public static final String ASKED = "asked";

  /** Array of the texts for the places of the prompt template. */
  static final String PLACES = "places";

  /** The text of a line that the format's rules refuse; null in good rows. */
  static final String CORRUPT = "corrupt";

  private static final int DERIVED_ID_DIGITS = 16;

  private RequestRows() {}

  /**
   * Brings a table into that form. Rows without an id column are named by what they hold; the
   * second of two identical rows by a number too, and it matters not which of them that is.
   *
   * <p>The shuffle that counts the rows of an id also spreads the table over the cluster: a CSV
   * file arrives in one partition.
   */
  public static Dataset<Row> of(Dataset<Row> table, PromptColumns columns) {
    boolean identified = columns.sources().containsKey(RequestColumn.ID);
    Dataset<Row> rows =
        table.select(
            struct(named(columns.passthrough())).as(PASSTHROUGH),
            (identified ? givenId(columns) : derivedId(table)).as(ID),
            struct(asked(table, columns)).as(ASKED),
            array(places(columns)).cast("array<string>").as(PLACES),
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
    Column id = column(columns.sources().get(RequestColumn.ID)).cast("string");
    return when(trim(id).notEqual(""), id);
  }

  /** SHA-256 of the row as JSON, columns sorted by name, nulls left out, times in UTC. */
  private static Column derivedId(Dataset<Row> table) {
    List<String> sorted = Arrays.stream(table.columns()).sorted().toList();
    Column json = to_json(struct(named(sorted)), Map.of("timeZone", "UTC"));
    return left(sha2(json.cast("binary"), 256), lit(DERIVED_ID_DIGITS));
  }

  private static Column[] asked(Dataset<Row> table, PromptColumns columns) {
    return Arrays.stream(RequestColumn.values())
        .map(wanted -> asked(table, wanted, columns.sources().get(wanted)))
        .toArray(Column[]::new);
  }

  private static Column asked(Dataset<Row> table, RequestColumn wanted, String source) {
    String name = wanted.columnName();
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

  private static Column[] places(PromptColumns columns) {
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
