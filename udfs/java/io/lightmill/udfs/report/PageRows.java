package io.lightmill.udfs.report;

import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.xxhash64;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.rows.MappedPartitions;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.commons.collections4.IteratorUtils;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.CatalystTypeConverters;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.Decimal;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;
import scala.Function1;

/**
 * The rows of a run that its pages show, in the order of their ids. The memory that they take is
 * bounded: there are about {@value #MOST} with an image and {@value #MOST_PROBLEMS} without one at
 * most, texts are cut, and passthrough columns that are no text, number or date are left out.
 *
 * @param rows with {@link Manifest#THUMBNAIL} where the run has made one
 * @param textLimit characters of a request's texts; a longer text has one more
 * @param passthroughLimit the same of a passthrough column
 */
public record PageRows(List<Row> rows, int textLimit, int passthroughLimit) {

  /** About so many rows with an image are shown. */
  public static final int MOST = 10_000;

  /** About so many rows without an image are shown. */
  static final int MOST_PROBLEMS = 2_000;

  /** Characters of all texts of one request column. */
  private static final long TEXT_BUDGET = 80_000_000;

  private static final int MOST_TEXT = 100_000;
  private static final int PASSTHROUGH_SHARE = 8;
  private static final int MOST_PASSTHROUGH = 30;

  /** No limit of a column's texts. */
  private static final int WHOLE = -1;

  /** Of the decimal numbers that ids are ordered by. */
  private static final int DIGITS = 38;

  private static final int DECIMALS = 9;

  private static final Set<ImageStatus> WITHOUT_IMAGE =
      Set.of(ImageStatus.BLOCKED, ImageStatus.INVALID, ImageStatus.FAILED);

  /** By number where ids are numbers, as Spark casts and orders. */
  private static final Comparator<Placed> ORDER =
      Comparator.comparing(Placed::number, Comparator.nullsLast(Comparator.naturalOrder()))
          .thenComparing(Placed::id, Comparator.nullsFirst(Comparator.naturalOrder()))
          .thenComparing(Placed::variant, Comparator.nullsFirst(Comparator.naturalOrder()));

  /** A row and its place. */
  private record Placed(Decimal number, UTF8String id, Integer variant, Row row) {

    static Placed of(Row row) {
      UTF8String id = UTF8String.fromString(ManifestColumns.ID.of(row));
      Decimal number = id == null ? null : Decimal.fromString(id);
      return new Placed(
          number != null && number.changePrecision(DIGITS, DECIMALS) ? number : null,
          id,
          ManifestColumns.VARIANT.of(row),
          row);
    }
  }

  /**
   * A column that is shown.
   *
   * @param limit characters of a text; {@link #WHOLE} for other types and all characters
   */
  private record Shown(int index, StructField field, int limit) implements Serializable {}

  /**
   * Reads all rows of a run, or a sample that is spread evenly.
   *
   * @param rows of {@link Manifest#schemaInFlight}, with or without {@link Manifest#THUMBNAIL}
   * @param counts rows by status
   */
  public static PageRows of(Dataset<Row> rows, Map<ImageStatus, Long> counts) {
    long all = counts.values().stream().mapToLong(Long::longValue).sum();
    long problems = WITHOUT_IMAGE.stream().mapToLong(s -> counts.getOrDefault(s, 0L)).sum();
    int text = (int) Math.min(MOST_TEXT, TEXT_BUDGET / Math.max(1, Math.min(all, MOST)));
    int passthrough = text / PASSTHROUGH_SHARE;
    Dataset<Row> shown = rows;
    if (all > MOST) {
      Column problem =
          ManifestColumns.STATUS
              .col()
              .isin(WITHOUT_IMAGE.stream().map(ImageStatus::label).toArray());
      Column some =
          pmod(
                  xxhash64(ManifestColumns.ID.col(), ManifestColumns.VARIANT.col()),
                  lit(problems / MOST_PROBLEMS + 1))
              .equalTo(0);
      shown =
          rows.filter(
              problem.and(some).or(functions.not(problem).and(PageThumbnails.of(all).chosen())));
    }
    List<Shown> columns = columns(rows.schema(), text, passthrough);
    // One task for few rows, since a task takes longer than they do.
    Dataset<Row> read = all > MOST ? shown : shown.coalesce(1);
    return new PageRows(cut(read, columns), text, passthrough);
  }

  /** Plain code, since planning a query over so many columns takes longer than most tables. */
  private static List<Row> cut(Dataset<Row> rows, List<Shown> columns) {
    StructType schema =
        new StructType(columns.stream().map(Shown::field).toArray(StructField[]::new));
    return MappedPartitions.collected(
            MappedPartitions.of(
                ((org.apache.spark.sql.classic.Dataset<Row>) rows).queryExecution().toRdd(),
                new Cut(columns)),
            rows.sparkSession())
        .stream()
        .map(values -> Placed.of(new GenericRowWithSchema(values, schema)))
        .sorted(ORDER)
        .map(Placed::row)
        .toList();
  }

  private record Cut(List<Shown> columns)
      implements FlatMapFunction<Iterator<InternalRow>, Object[]> {

    @Override
    public Iterator<Object[]> call(Iterator<InternalRow> rows) {
      List<Function1<Object, Object>> external =
          columns.stream()
              .map(it -> CatalystTypeConverters.createToScalaConverter(it.field().dataType()))
              .toList();
      return IteratorUtils.transformedIterator(
          rows,
          row -> {
            Object[] values = new Object[columns.size()];
            Arrays.setAll(values, i -> external.get(i).apply(value(row, columns.get(i))));
            return values;
          });
    }

    private static Object value(InternalRow row, Shown column) {
      Object value =
          row.isNullAt(column.index()) ? null : row.get(column.index(), column.field().dataType());
      return column.limit() != WHOLE && value instanceof UTF8String text
          ? text.substring(0, column.limit())
          : value;
    }
  }

  private static List<Shown> columns(StructType schema, int text, int passthrough) {
    List<String> own = Manifest.reserved();
    List<Shown> columns = new ArrayList<>();
    int others = 0;
    for (int i = 0; i < schema.length(); i++) {
      StructField field = schema.apply(i);
      boolean isText = field.dataType() instanceof StringType;
      if (own.contains(field.name())) {
        columns.add(new Shown(i, field, isText ? text + 1 : WHOLE));
      } else if (isPlain(field) && others++ < MOST_PASSTHROUGH) {
        columns.add(new Shown(i, field, isText ? passthrough + 1 : WHOLE));
      }
    }
    return columns;
  }

  private static boolean isPlain(StructField field) {
    return field.dataType() instanceof StringType
        || field.dataType() instanceof NumericType
        || field.dataType() instanceof BooleanType
        || field.dataType() instanceof DateType;
  }

  /** Some of the rows that are not pending, at even distances. */
  public List<Row> sheet(int most) {
    return EvenSample.of(
        rows.stream()
            .filter(row -> !ImageStatus.PENDING.label().equals(ManifestColumns.STATUS.of(row)))
            .toList(),
        most);
  }

  /** The names of the passthrough columns. */
  List<String> passthrough() {
    List<String> own = Manifest.reserved();
    return rows.isEmpty()
        ? List.of()
        : Arrays.stream(rows.get(0).schema().fieldNames())
            .filter(name -> !own.contains(name))
            .toList();
  }
}
