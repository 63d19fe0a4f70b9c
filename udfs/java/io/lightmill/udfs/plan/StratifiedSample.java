package io.lightmill.udfs.plan;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.udf;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.manifest.ManifestColumns;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.types.DataTypes;

/**
 * A sample of images in which every stratum, a combination of values, has its share. It depends on
 * the images and not on their order or partitions: of each stratum it has the images with the
 * smallest ids, which are hashes.
 */
public final class StratifiedSample {

  /** So that the counts fit into the driver. */
  private static final int MOST_STRATA = 100_000;

  private static final String STRATUM = "stratum";
  private static final String PLACE = "place";

  private StratifiedSample() {}

  /**
   * Chooses images. Each stratum gets one, the largest first, and the rest is shared in proportion
   * to their images.
   *
   * @param images rows of {@link PlannedImages} with image ids
   * @param strata columns whose values form the strata
   * @param most at least 1
   * @return rows of the same schema, ordered by stratum and image id
   */
  public static List<Row> of(Dataset<Row> images, List<Column> strata, int most) {
    Column[] values =
        strata.stream()
            .map(column -> coalesce(column.cast(DataTypes.StringType), lit("")))
            .toArray(Column[]::new);
    Dataset<Row> labelled = images.withColumn(STRATUM, to_json(array(values)));
    List<Row> counts = labelled.groupBy(STRATUM).count().limit(MOST_STRATA + 1).collectAsList();
    if (counts.size() > MOST_STRATA) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the images have more than %d combinations of sizes, steps, adapters and the column of --stratify; stratify by a column with fewer values"
              .formatted(MOST_STRATA));
    }
    Map<String, Long> sizes = new LinkedHashMap<>();
    counts.forEach(row -> sizes.put(row.getString(0), row.getLong(1)));
    Map<String, Integer> quotas = quotas(sizes, most);
    int largest = quotas.values().stream().mapToInt(Integer::intValue).max().orElse(0);
    UDF1<String, Integer> quota = stratum -> quotas.getOrDefault(stratum, 0);
    Column place =
        row_number()
            .over(
                Window.partitionBy(STRATUM)
                    .orderBy(
                        ManifestColumns.IMAGE_ID.col(),
                        ManifestColumns.ID.col(),
                        ManifestColumns.VARIANT.col()));
    return labelled
        .withColumn(PLACE, place)
        .filter(col(PLACE).leq(largest))
        .filter(col(PLACE).leq(udf(quota, DataTypes.IntegerType).apply(col(STRATUM))))
        .orderBy(col(STRATUM), col(PLACE))
        .drop(STRATUM, PLACE)
        .collectAsList();
  }

  /** How many images of each stratum are chosen, without those of which none is. */
  static Map<String, Integer> quotas(Map<String, Long> sizes, int most) {
    List<String> strata = new ArrayList<>(sizes.keySet());
    strata.sort(
        Comparator.comparing((String each) -> -sizes.get(each)).thenComparing(each -> each));
    Map<String, Integer> quotas = new LinkedHashMap<>();
    strata.stream().limit(most).forEach(stratum -> quotas.put(stratum, 1));
    long images = sizes.values().stream().mapToLong(Long::longValue).sum();
    for (int left = most - quotas.size(); left > 0; left--) {
      // To the stratum that is furthest below its share.
      String next =
          quotas.keySet().stream()
              .filter(stratum -> quotas.get(stratum) < sizes.get(stratum))
              .max(
                  Comparator.comparingDouble(
                          (String stratum) ->
                              (double) sizes.get(stratum) * most / images - quotas.get(stratum))
                      .thenComparing(Comparator.reverseOrder()))
              .orElse(null);
      if (next == null) {
        break;
      }
      quotas.merge(next, 1, Integer::sum);
    }
    return quotas;
  }
}
