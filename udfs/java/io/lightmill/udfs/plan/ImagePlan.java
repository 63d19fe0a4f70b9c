package io.lightmill.udfs.plan;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.dense_rank;
import static org.apache.spark.sql.functions.hash;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.lower;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.manifest.ManifestColumns;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.expressions.WindowSpec;
import org.apache.spark.sql.types.DataTypes;

/**
 * The requested images of a job and their counts.
 *
 * @param images as {@link #placed}
 * @param requested number of rows
 * @param idleNegativePrompts images whose negative prompt has no effect
 * @param keys images to draw, by batch key
 */
public record ImagePlan(
    Dataset<Row> images, long requested, long idleNegativePrompts, List<BatchPlan.KeyCount> keys) {

  public static final String BATCH = "batch";
  private static final String PLACE = "place";
  private static final String PARTITION = "partition";
  private static final int NAMED_IN_MESSAGES = 5;
  private static final Column IMAGE_ID = ManifestColumns.IMAGE_ID.col();
  private static final Column ID = ManifestColumns.ID.col();
  private static final Column VARIANT = ManifestColumns.VARIANT.col();

  /** Rows without a batch are spread over this many windows, so that no task gets all. */
  private static final int LANES = 32;

  /**
   * Numbers the images of each batch key from 0, in the order of their ids. Rows of the same image
   * have the same number.
   *
   * @param images rows of {@link PlannedImages}
   */
  public static Dataset<Row> placed(Dataset<Row> images) {
    Column key = col(PlannedImages.BATCH_KEY);
    Column lane = when(key.isNull(), pmod(hash(ID, VARIANT), lit(LANES)));
    WindowSpec byId = Window.partitionBy(key, lane).orderBy(IMAGE_ID);
    return images.withColumn(PLACE, dense_rank().over(byId).minus(1));
  }

  /**
   * Counts the images, in one Spark job.
   *
   * @param table its location, for messages
   * @param placed images; read several times, so they should be materialized
   * @param namedByTemplate whether values of the table name the image objects, which may collide
   * @throws LightmillException with {@code INPUT_INVALID} if the table has no rows, {@code
   *     ID_DUPLICATE}, or {@code CONFIGURATION_INVALID} if different images would be stored under
   *     one key
   */
  public static ImagePlan of(String table, Dataset<Row> placed, boolean namedByTemplate) {
    List<Row> counts =
        placed
            .groupBy(PlannedImages.BATCH_KEY, PlannedImages.COST)
            .agg(
                count(lit(1)).as("rows"),
                max(PLACE).plus(1).cast("long").as("drawn"),
                sum(col(PlannedImages.DUPLICATE).cast("long")).as("duplicates"),
                sum(col(PlannedImages.IDLE_NEGATIVE_PROMPT).cast("long")).as("idle"))
            .collectAsList();
    if (counts.isEmpty()) {
      throw new LightmillException(
          ErrorCode.INPUT_INVALID,
          "prompt table '%s' has no rows; there is nothing to draw".formatted(table));
    }
    if (counts.stream().anyMatch(key -> key.<Long>getAs("duplicates") > 0)) {
      throw duplicates(table, placed);
    }
    if (namedByTemplate) {
      refuseCollisions(placed);
    }
    return new ImagePlan(
        placed,
        counts.stream().mapToLong(key -> key.<Long>getAs("rows")).sum(),
        counts.stream().mapToLong(key -> key.<Long>getAs("idle")).sum(),
        counts.stream()
            .filter(key -> key.getAs(PlannedImages.BATCH_KEY) != null)
            .map(
                key ->
                    new BatchPlan.KeyCount(
                        key.getAs(PlannedImages.BATCH_KEY),
                        key.<Long>getAs(PlannedImages.COST),
                        key.<Long>getAs("drawn")))
            .toList());
  }

  /** Distinct images that must be drawn. */
  public long toDraw() {
    return keys.stream().mapToLong(BatchPlan.KeyCount::images).sum();
  }

  /**
   * Cuts the images into batches.
   *
   * @param partitions number of them; empty to derive it from the cluster
   */
  public BatchPlan batches(int batchSize, Cluster cluster, OptionalInt partitions) {
    long batches = BatchPlan.batches(keys, batchSize);
    return new BatchPlan(keys, batchSize, partitions.orElseGet(() -> cluster.partitions(batches)));
  }

  /**
   * The images in the partitions that will draw them. A partition holds the rows that are not drawn
   * and then whole batches, one after the other. Rows of the same image are in the same batch.
   */
  public Dataset<Row> partitioned(BatchPlan plan) {
    UDF2<String, Integer, Long> batch = (key, place) -> key == null ? null : plan.batch(key, place);
    UDF1<Long, Integer> partition = number -> number == null ? null : plan.partition(number);
    // Rows of one image are in one partition, so that it is packed once.
    Column place = when(IMAGE_ID.isNotNull(), hash(IMAGE_ID)).otherwise(hash(ID, VARIANT));
    Column spread = pmod(place, lit(plan.partitions()));
    return images
        .withColumn(
            BATCH, udf(batch, DataTypes.LongType).apply(col(PlannedImages.BATCH_KEY), col(PLACE)))
        .withColumn(
            PARTITION, coalesce(udf(partition, DataTypes.IntegerType).apply(col(BATCH)), spread))
        .repartitionById(plan.partitions(), col(PARTITION))
        .sortWithinPartitions(col(BATCH), IMAGE_ID, ID, VARIANT);
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
    List<Row> collisions =
        images
            .filter(key.isNotNull())
            .groupBy(lower(key).as("name"))
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
