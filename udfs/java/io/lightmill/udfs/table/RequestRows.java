package io.lightmill.udfs.table;

import static org.apache.spark.sql.functions.abs;
import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.left;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.regexp_extract;
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
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.commons.codec.digest.DigestUtils;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.BinaryType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DoubleType;
import org.apache.spark.sql.types.FloatType;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StructType;
import scala.Option;

/**
 * The rows of any table in the form that {@link RequestReader} reads: the request columns as text,
 * since CSV has nothing else and one way of reading numbers is enough; all other columns in a
 * struct of their own, where no name clashes.
 *
 * <p>Types are objects here and in all queries of a run, since the first text of a type or an
 * expression starts Spark's SQL parser, which takes longer than a small table.
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

  /** Says what is wrong with a row that cannot be read; null in good rows. */
  static final String CORRUPT = "corrupt";

  /** Digest of the row by {@link RowDigests}; a column only where the table has one. */
  public static final String DIGEST = "lightmill_row_digest";

  /** The column that {@link #beside} adds. */
  public static final String REQUEST = "lightmill_request";

  private static final int DERIVED_ID_DIGITS = 16;

  /** Width and height in pixels; smaller numbers are sizes of other things. */
  private static final String SIZE =
      "^\\s*(6[4-9]|[7-9]\\d|\\d{3,5})\\s*[xX×*]\\s*(6[4-9]|[7-9]\\d|\\d{3,5})\\s*$";

  private static final Map<RequestColumn<?>, Integer> SIDES =
      Map.of(RequestColumns.WIDTH, 1, RequestColumns.HEIGHT, 2);

  /** Whole numbers from here on may have been rounded in these types. */
  private static final long EXACT_IN_DOUBLES = 1L << 53;

  private static final long EXACT_IN_FLOATS = 1L << 24;

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
    List<String> values = new ArrayList<>(Arrays.asList(table.columns()));
    boolean digested = values.remove(DIGEST);
    List<Column> form = new ArrayList<>();
    form.add(struct(named(columns.passthrough())).as(PASSTHROUGH));
    form.add((identified ? givenId(columns) : derivedId(values)).as(ID));
    form.add(struct(requested(table, columns)).as(REQUESTED));
    form.add(
        array(placeholders(columns))
            .cast(DataTypes.createArrayType(DataTypes.StringType))
            .as(PLACEHOLDERS));
    form.add(corrupt(table).as(CORRUPT));
    if (digested) {
      form.add(col(DIGEST));
    }
    Column occurrence = row_number().over(Window.partitionBy(ID).orderBy(ID));
    Dataset<Row> numbered =
        table.select(form.toArray(Column[]::new)).withColumn(OCCURRENCE, occurrence);
    return identified
        ? numbered
        : numbered.withColumn(
            ID,
            when(col(OCCURRENCE).gt(1), concat(col(ID), lit("-"), col(OCCURRENCE)))
                .otherwise(col(ID)));
  }

  /**
   * Adds a last column {@link #REQUEST}, a struct with the columns of {@link #of} and no
   * passthrough columns. Without an id column, the id is a hash of the columns that are read, so
   * that equal requests have equal ids, whatever other columns the table has. Needs no shuffle.
   */
  public static Dataset<Row> beside(Dataset<Row> table, PromptColumns columns) {
    boolean identified = columns.sources().containsKey(RequestColumns.ID);
    return table.withColumn(
        REQUEST,
        struct(
            struct(new Column[0]).as(PASSTHROUGH),
            (identified ? givenId(columns) : derivedId(read(columns))).as(ID),
            struct(requested(table, columns)).as(REQUESTED),
            array(placeholders(columns))
                .cast(DataTypes.createArrayType(DataTypes.StringType))
                .as(PLACEHOLDERS),
            corrupt(table).as(CORRUPT),
            lit(1).as(OCCURRENCE)));
  }

  private static List<String> read(PromptColumns columns) {
    return Stream.of(
            columns.sources().values().stream(),
            columns.size().stream(),
            columns.template().stream().flatMap(template -> template.columns().stream()))
        .flatMap(each -> each)
        .distinct()
        .toList();
  }

  /** The type of the passthrough columns. */
  public static StructType passthrough(StructType requests) {
    return (StructType) requests.apply(PASSTHROUGH).dataType();
  }

  /** The digest of a row; null if its table has none. */
  public static String digest(Row row) {
    Option<Object> index = row.schema().getFieldIndex(DIGEST);
    return index.isEmpty() ? null : row.getString((Integer) index.get());
  }

  private static Column givenId(PromptColumns columns) {
    Column id = column(columns.sources().get(RequestColumns.ID)).cast(DataTypes.StringType);
    return when(trim(id).notEqual(""), id);
  }

  /** The id of a row without one, by its values as JSON. */
  public static String derivedId(String json) {
    return DigestUtils.sha256Hex(json).substring(0, DERIVED_ID_DIGITS);
  }

  /** SHA-256 of columns as JSON, sorted by name, nulls left out, times in UTC. */
  private static Column derivedId(List<String> columns) {
    List<String> sorted = columns.stream().sorted().toList();
    Column json = to_json(struct(named(sorted)), Map.of("timeZone", "UTC"));
    return left(sha2(json.cast(DataTypes.BinaryType), 256), lit(DERIVED_ID_DIGITS));
  }

  private static Column[] requested(Dataset<Row> table, PromptColumns columns) {
    return RequestColumns.ALL.stream()
        .map(column -> requested(table, column, columns).as(column.name()))
        .toArray(Column[]::new);
  }

  private static Column requested(
      Dataset<Row> table, RequestColumn<?> column, PromptColumns columns) {
    if (columns.size().isPresent() && SIDES.containsKey(column)) {
      Column size = column(columns.size().get()).cast(DataTypes.StringType);
      return when(size.rlike(SIZE), regexp_extract(size, SIZE, SIDES.get(column)));
    }
    String source = columns.sources().get(column);
    if (source == null) {
      return lit(null).cast(DataTypes.StringType);
    }
    DataType type = table.schema().apply(source).dataType();
    if (type instanceof StructType
        || type instanceof ArrayType
        || type instanceof MapType
        || type instanceof BinaryType) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "column '%s' of the prompt table is of type %s, which %s cannot be read from; give text or numbers"
              .formatted(source, type.simpleString(), column.name()));
    }
    Column value = column(source);
    if (type instanceof DoubleType) {
      return fraction(value, EXACT_IN_DOUBLES);
    }
    return type instanceof FloatType
        ? fraction(value, EXACT_IN_FLOATS)
        : value.cast(DataTypes.StringType);
  }

  /**
   * A floating-point number as text. NaN is how pandas writes a missing value. A number that may
   * have been rounded before it came here is no whole number.
   */
  private static Column fraction(Column value, long exact) {
    return when(value.isNaN(), lit(null).cast(DataTypes.StringType))
        .when(
            abs(value).geq(exact),
            concat(
                value.cast(DataTypes.StringType),
                lit(" (a floating-point number, perhaps rounded)")))
        .otherwise(value.cast(DataTypes.StringType));
  }

  private static Column[] placeholders(PromptColumns columns) {
    return columns
        .template()
        .map(
            t ->
                t.columns().stream()
                    .map(c -> column(c).cast(DataTypes.StringType))
                    .toArray(Column[]::new))
        .orElseGet(() -> new Column[0]);
  }

  private static Column corrupt(Dataset<Row> table) {
    boolean marked = Arrays.asList(table.columns()).contains(PromptTable.CORRUPT);
    return marked ? col(PromptTable.CORRUPT) : lit(null).cast(DataTypes.StringType);
  }

  private static Column[] named(List<String> names) {
    return names.stream().map(RequestRows::column).toArray(Column[]::new);
  }

  /** A column by its whole name, dots and all. */
  private static Column column(String name) {
    return col("`" + name.replace("`", "``") + "`");
  }
}
