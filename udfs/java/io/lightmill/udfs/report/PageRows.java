package io.lightmill.udfs.report;

import static org.apache.spark.sql.functions.left;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.xxhash64;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.util.QuotingUtils;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.BooleanType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.DateType;
import org.apache.spark.sql.types.NumericType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;

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

  private static final Set<ImageStatus> WITHOUT_IMAGE =
      Set.of(ImageStatus.BLOCKED, ImageStatus.INVALID, ImageStatus.FAILED);

  /** By number where ids are numbers. */
  private static final Column[] ORDER = {
    ManifestColumns.ID.col().try_cast(DataTypes.createDecimalType(38, 9)).asc_nulls_last(),
    ManifestColumns.ID.col(),
    ManifestColumns.VARIANT.col()
  };

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
    Dataset<Row> cut = shown.select(columns(rows, text, passthrough));
    // So few are sorted in one task; of many rows, that task only sorts, and does not filter.
    Dataset<Row> together = all > MOST ? cut.repartition(1) : cut.coalesce(1);
    return new PageRows(together.sortWithinPartitions(ORDER).collectAsList(), text, passthrough);
  }

  private static Column[] columns(Dataset<Row> rows, int text, int passthrough) {
    List<String> own = Manifest.reserved();
    List<Column> columns = new ArrayList<>();
    int others = 0;
    for (StructField field : rows.schema().fields()) {
      Column column = functions.col(QuotingUtils.quoteIdentifier(field.name()));
      boolean isText = field.dataType() instanceof StringType;
      if (own.contains(field.name())) {
        columns.add(isText ? left(column, lit(text + 1)).as(field.name()) : column);
      } else if (isPlain(field) && others++ < MOST_PASSTHROUGH) {
        columns.add(isText ? left(column, lit(passthrough + 1)).as(field.name()) : column);
      }
    }
    return columns.toArray(Column[]::new);
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
