package io.lightmill.udfs.report;

import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.xxhash64;

import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** The rows of a manifest that a contact sheet shows. */
public final class SheetRows {

  private static final String[] COLUMNS =
      Stream.of(
              ManifestColumns.ID,
              ManifestColumns.VARIANT,
              ManifestColumns.IMAGE_ID,
              ManifestColumns.STATUS,
              ManifestColumns.ERROR_MESSAGE,
              ManifestColumns.VERDICT,
              ManifestColumns.VERDICT_CATEGORY,
              ManifestColumns.VERDICT_RULE,
              ManifestColumns.PATH,
              ManifestColumns.MEMBER,
              ManifestColumns.MEMBER_OFFSET,
              ManifestColumns.BYTES,
              ManifestColumns.PROMPT,
              ManifestColumns.SEED,
              ManifestColumns.WIDTH,
              ManifestColumns.HEIGHT)
          .map(ManifestColumn::name)
          .toArray(String[]::new);

  /** By number where ids are numbers. */
  private static final Column[] ORDER = {
    expr("try_cast(id AS DECIMAL(38, 9))").asc_nulls_last(),
    ManifestColumns.ID.col(),
    ManifestColumns.VARIANT.col()
  };

  private static final long MOST_SORTED = 100_000;

  /** Of more rows, about so many are sorted, chosen by a hash. */
  private static final long SAMPLED = 10_000;

  private SheetRows() {}

  /**
   * All rows in the order of their ids, or at most {@code most} of them at even distances; of very
   * many rows, about even distances.
   *
   * @param rows that the manifest has
   * @param most at least 2
   */
  public static List<Row> of(Dataset<Row> manifest, long rows, int most) {
    Dataset<Row> shown = manifest.selectExpr(COLUMNS);
    if (rows <= most) { // so few are sorted in one task, without a shuffle
      return shown.coalesce(1).sortWithinPartitions(ORDER).collectAsList();
    }
    if (rows > MOST_SORTED) {
      // Sorting all rows would take a cluster minutes.
      Column share = pmod(xxhash64(ManifestColumns.ID.col(), ManifestColumns.VARIANT.col()), lit(rows / SAMPLED));
      return EvenSample.of(
          shown.filter(share.equalTo(0)).coalesce(1).sortWithinPartitions(ORDER).collectAsList(),
          most);
    }
    Set<Long> places =
        IntStream.range(0, most)
            .mapToObj(i -> i * (rows - 1) / (most - 1))
            .collect(Collectors.toSet());
    return shown
        .orderBy(ORDER)
        .javaRDD()
        .zipWithIndex()
        .filter(row -> places.contains(row._2()))
        .keys()
        .collect();
  }
}
