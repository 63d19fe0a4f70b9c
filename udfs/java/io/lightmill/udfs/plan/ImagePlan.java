package io.lightmill.udfs.plan;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_set;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.hash;
import static org.apache.spark.sql.functions.left;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.size;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.manifest.ManifestColumns;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.types.DataTypes;

/**
 * The requested images of a job and their counts.
 *
 * @param unsettledImages rows of {@link PlannedImages}, but for those that are settled
 * @param settled images that were known to need no drawing; they have the same columns
 * @param requested number of rows of both
 * @param undrawn number of rows that need no drawing
 * @param idleNegativePrompts images whose negative prompt has no effect
 * @param keys images to draw, by batch key
 */
public record ImagePlan(
    Dataset<Row> unsettledImages,
    Optional<SettledImages> settled,
    long requested,
    long undrawn,
    long idleNegativePrompts,
    List<BatchPlan.KeyCount> keys) {

  private static final String SLICE = "slice";
  private static final String PARTITION = "partition";
  private static final int NAMED_IN_MESSAGES = 5;
  private static final Column IMAGE_ID = ManifestColumns.IMAGE_ID.col();
  private static final Column ID = ManifestColumns.ID.col();
  private static final Column VARIANT = ManifestColumns.VARIANT.col();
  private static final Column BATCH_KEY = col(PlannedImages.BATCH_KEY);

  /**
   * Counts the images.
   *
   * @param table its location, for messages
   * @param images rows of {@link PlannedImages}; read several times, so they should be materialized
   * @param namedByTemplate whether values of the table name the image objects, which may collide
   * @throws LightmillException with {@code INPUT_INVALID} if the table has no rows, {@code
   *     ID_DUPLICATE}, or {@code CONFIGURATION_INVALID} if different images would be stored under
   *     one key
   */
  public static ImagePlan of(String table, Dataset<Row> images, boolean namedByTemplate) {
    return of(table, images, Optional.empty(), namedByTemplate);
  }

  /**
   * Counts the images, some of which are settled.
   *
   * @param settled not among the images, with the same columns
   * @see #of(String, Dataset, boolean)
   */
  public static ImagePlan of(
      String table, Dataset<Row> images, Optional<SettledImages> settled, boolean namedByTemplate) {
    List<Row> counts =
        images
            .groupBy(
                BATCH_KEY,
                col(PlannedImages.COST),
                when(BATCH_KEY.isNotNull(), left(IMAGE_ID, lit(BatchPlan.SLICE_DIGITS))).as(SLICE))
            .agg(
                count(lit(1)).as("rows"),
                size(collect_set(when(BATCH_KEY.isNotNull(), IMAGE_ID)))
                    .cast(DataTypes.LongType)
                    .as("drawn"),
                sum(col(PlannedImages.DUPLICATE).cast(DataTypes.LongType)).as("duplicates"),
                sum(col(PlannedImages.IDLE_NEGATIVE_PROMPT).cast(DataTypes.LongType)).as("idle"))
            .collectAsList();
    long known = settled.map(SettledImages::rows).orElse(0L);
    if (counts.isEmpty() && known == 0) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "prompt table '%s' has no rows; there is nothing to draw".formatted(table));
    }
    ImagePlan plan =
        new ImagePlan(
            images,
            settled,
            known + rows(counts),
            known + rows(counts.stream().filter(key -> key.isNullAt(0)).toList()),
            settled.map(SettledImages::idleNegativePrompts).orElse(0L) + total(counts, "idle"),
            keys(counts));
    if (settled.map(SettledImages::duplicates).orElse(0L) + total(counts, "duplicates") > 0) {
      throw duplicates(table, plan.images());
    }
    if (namedByTemplate) {
      refuseCollisions(plan.images());
    }
    return plan;
  }

  private static long total(List<Row> counts, String name) {
    return counts.stream().mapToLong(key -> key.<Long>getAs(name)).sum();
  }

  private static long rows(List<Row> counts) {
    return total(counts, "rows");
  }

  private static List<BatchPlan.KeyCount> keys(List<Row> counts) {
    Map<String, BatchPlan.KeyCount> keys = new TreeMap<>();
    for (Row count : counts) {
      String key = count.getAs(PlannedImages.BATCH_KEY);
      if (key != null) {
        keys.computeIfAbsent(
                key,
                k ->
                    new BatchPlan.KeyCount(
                        k, count.<Long>getAs(PlannedImages.COST), new TreeMap<>()))
            .slices()
            .put(BatchPlan.slice(count.getAs(SLICE)), count.getAs("drawn"));
      }
    }
    return List.copyOf(keys.values());
  }

  /** Distinct images that must be drawn, by what decides their time. */
  public Map<ImageWork, Long> work() {
    return keys.stream()
        .collect(
            Collectors.toMap(
                key -> ImageWork.of(key.batchKey()),
                BatchPlan.KeyCount::images,
                Long::sum,
                LinkedHashMap::new));
  }

  /** Distinct images that must be drawn. */
  public long toDraw() {
    return keys.stream().mapToLong(BatchPlan.KeyCount::images).sum();
  }

  /**
   * Cuts the images into batches.
   *
   * @param partitions number of them, of about the same size; empty to derive them from the cluster
   */
  public BatchPlan batches(int batchSize, Cluster cluster, OptionalInt partitions) {
    return new BatchPlan(
        keys,
        batchSize,
        partitions.isPresent()
            ? IntStream.generate(() -> 1).limit(partitions.getAsInt()).toArray()
            : cluster.partitionSizes(BatchPlan.batches(keys, batchSize)));
  }

  /** All images. */
  public Dataset<Row> images() {
    return settled.map(known -> unsettledImages.union(known.images())).orElse(unsettledImages);
  }

  /** Number of images that are not settled. */
  public long unsettled() {
    return requested - settled.map(SettledImages::rows).orElse(0L);
  }

  /**
   * The images that are drawn, in the partitions that will draw them, and beside these the others,
   * in the partitions in which they are.
   */
  public Dataset<Row> drawnApart(BatchPlan plan) {
    if (undrawn == 0) {
      return partitioned(plan);
    }
    Dataset<Row> others = unsettledImages.filter(BATCH_KEY.isNull()).withColumn(PARTITION, lit(0));
    return withSettled(
        keys.isEmpty()
            ? others
            : partitioned(unsettledImages.filter(BATCH_KEY.isNotNull()), plan).union(others));
  }

  /**
   * The images in the partitions that will draw or pack them: the rows that are not drawn, and then
   * those of each batch key, from the most to the least expensive, ordered by image id. Rows of the
   * same image follow each other. Settled images are beside them, in the partitions in which they
   * are.
   */
  public Dataset<Row> partitioned(BatchPlan plan) {
    return withSettled(partitioned(unsettledImages, plan));
  }

  private Dataset<Row> withSettled(Dataset<Row> partitioned) {
    return settled
        .map(known -> partitioned.union(known.images().withColumn(PARTITION, lit(0))))
        .orElse(partitioned);
  }

  private static Dataset<Row> partitioned(Dataset<Row> images, BatchPlan plan) {
    UDF2<String, String, Integer> drawing =
        (key, imageId) -> key == null ? null : plan.partition(key, imageId);
    // Rows of one image are in one partition, so that it is packed once.
    Column place = when(IMAGE_ID.isNotNull(), hash(IMAGE_ID)).otherwise(hash(ID, VARIANT));
    Column spread = pmod(place, lit(plan.partitions()));
    return images
        .withColumn(
            PARTITION,
            coalesce(udf(drawing, DataTypes.IntegerType).apply(BATCH_KEY, IMAGE_ID), spread))
        .repartitionById(plan.partitions(), col(PARTITION))
        .sortWithinPartitions(
            col(PlannedImages.COST).desc_nulls_first(), BATCH_KEY, IMAGE_ID, ID, VARIANT);
  }

  private static LightmillException duplicates(String table, Dataset<Row> images) {
    String named =
        images
            .filter(ID.isNotNull().and(VARIANT.equalTo(0)))
            .groupBy(ID)
            .count()
            .filter("count > 1")
            .orderBy(col("count").desc(), ID)
            .takeAsList(NAMED_IN_MESSAGES)
            .stream()
            .map(row -> "'%s' (%d rows)".formatted(row.getString(0), row.getLong(1)))
            .collect(Collectors.joining(", "));
    return new LightmillException(
        ErrorCode.ID_DUPLICATE,
        "prompt table '%s' gives the same id to several rows: %s; give every row an id of its own, or name another column (--column id=…)"
            .formatted(table, named));
  }

  /** Names that differ only in case are one name on some file systems. */
  private static void refuseCollisions(Dataset<Row> images) {
    Column key = col(PlannedImages.KEY);
    // Spark's lower() builds a table of all of Unicode's letters first: a second in each process.
    UDF1<String, String> lower = name -> name == null ? null : name.toLowerCase(Locale.ROOT);
    List<Row> collisions =
        images
            .filter(key.isNotNull())
            .groupBy(udf(lower, DataTypes.StringType).apply(key).as("name"))
            .agg(
                min(struct(IMAGE_ID.as("id"), key.as("key"))).as("first"),
                max(struct(IMAGE_ID.as("id"), key.as("key"))).as("last"))
            .filter("first.id <> last.id")
            .orderBy("name")
            .takeAsList(NAMED_IN_MESSAGES);
    if (!collisions.isEmpty()) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the path template stores different images under one name (case aside): %s; add {image_id}, or {id} and {variant}, to it"
              .formatted(
                  collisions.stream()
                      .map(row -> collision(row.getStruct(1), row.getStruct(2)))
                      .collect(Collectors.joining(", "))));
    }
  }

  private static String collision(Row first, Row last) {
    String names =
        first.getString(1).equals(last.getString(1))
            ? "'%s'".formatted(first.getString(1))
            : "'%s' and '%s'".formatted(first.getString(1), last.getString(1));
    return "%s (images %s and %s)".formatted(names, first.getString(0), last.getString(0));
  }
}
