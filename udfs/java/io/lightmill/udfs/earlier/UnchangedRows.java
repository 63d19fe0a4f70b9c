package io.lightmill.udfs.earlier;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.unix_micros;
import static org.apache.spark.sql.functions.when;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.history.CommittedRun;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.rows.MappedPartitions;
import io.lightmill.udfs.shard.ShardPacker;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.ListedObject;
import io.lightmill.udfs.store.PathTemplate;
import io.lightmill.udfs.table.PromptColumns;
import io.lightmill.udfs.table.PromptRows;
import io.lightmill.udfs.table.RequestRows;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;
import scala.reflect.ClassTag$;

/**
 * Separates the table rows that are planned as in the newest run from all others. Such a row has
 * the digest that the newest manifest has in each image of the row, and all these images exist. Its
 * plan is taken from the manifest: nothing of it is computed again. An image exists by the same
 * rules as in {@link EarlierImages}.
 */
public final class UnchangedRows {

  /** Struct of a table row that is to be planned; null in the images of unchanged rows. */
  public static final String TABLE = "table_row";

  /** The place of a row among the rows of its id, from 1. */
  private static final String OCCURRENCE = "table_occurrence";

  /** Shards beyond these are looked up by tasks, so that the driver does not hold their names. */
  private static final int MOST_SHARDS = 100_000;

  private static final String IMAGE_ID = ManifestColumns.IMAGE_ID.name();
  private static final String ID = ManifestColumns.ID.name();
  private static final String VARIANT = ManifestColumns.VARIANT.name();
  private static final String PATH = ManifestColumns.PATH.name();
  private static final String LENGTH = "length";

  private final SparkSession spark;
  private final String output;
  private final ImageStore store;
  private final CommittedRun newest;

  private UnchangedRows(SparkSession spark, String output, ImageStore store, CommittedRun newest) {
    this.spark = spark;
    this.output = output;
    this.store = store;
    this.newest = newest;
  }

  /**
   * Those of a run.
   *
   * @return empty if no row can be recognized: nothing is taken from earlier runs, or the newest
   *     manifest is of an older release
   */
  public static Optional<UnchangedRows> of(SparkSession spark, String output, Rerun rerun) {
    if (rerun.force() || rerun.hosted().isPresent()) {
      return Optional.empty();
    }
    Configuration hadoop = spark.sparkContext().hadoopConfiguration();
    return CommittedRun.newest(output, hadoop)
        .filter(run -> Arrays.asList(run.schema().fieldNames()).containsAll(MergeUnchanged.COLUMNS))
        .map(run -> new UnchangedRows(spark, output, ImageStore.open(output, hadoop), run));
  }

  /**
   * The images of unchanged rows, with what {@link EarlierImages} would mark them with, and the
   * other rows of the table in {@link #TABLE}. The rows of one id, and the images of that id, meet
   * in one task by one shuffle.
   *
   * @param table with digests
   * @param guidance of the checkpoint
   */
  public Dataset<Row> separated(
      PromptRows table, ClassifierFreeGuidance guidance, StructType passthrough) {
    StructType raw = table.rows().schema();
    Dataset<Row> known = known();
    StructType copies = known.schema();
    Optional<Map<UTF8String, Long>> shards = shards();
    Dataset<Row> missing = missing(known, shards.isPresent());
    Column id = RequestRows.id(List.of(table.rows().columns()), table.columns());
    Dataset<Row> all =
        known
            .select(
                col(ID),
                lit(MergeUnchanged.KNOWN),
                col(VARIANT),
                struct(col("*")),
                lit(null).cast(raw))
            .union(
                missing.select(
                    col(ID),
                    lit(MergeUnchanged.MISSING),
                    col(VARIANT),
                    lit(null).cast(copies),
                    lit(null).cast(raw)))
            .union(
                table
                    .rows()
                    .select(
                        id, lit(MergeUnchanged.TABLE), lit(0), lit(null).cast(copies), raw(raw)))
            .toDF(ID, "kind", VARIANT, "copy", TABLE)
            .repartition(col(ID))
            .sortWithinPartitions(ID, "kind", VARIANT);
    StructType planned =
        PlannedImages.schema(passthrough).add(EarlierImages.EARLIER, EarlierImages.TYPE);
    StructType schema = planned.add(TABLE, raw).add(OCCURRENCE, DataTypes.IntegerType);
    Broadcast<Map<UTF8String, Long>> lengths =
        spark
            .sparkContext()
            .broadcast(shards.orElseGet(HashMap::new), ClassTag$.MODULE$.apply(Map.class));
    RDD<InternalRow> merged =
        MappedPartitions.of(
            ((org.apache.spark.sql.classic.Dataset<Row>) all).queryExecution().toRdd(),
            new MergeUnchanged(
                copies, raw, planned, guidance, shards.isPresent() ? lengths : null));
    return ((org.apache.spark.sql.classic.SparkSession) spark)
        .internalCreateDataFrame(merged, schema, false);
  }

  /** The images of the unchanged rows. */
  public static Dataset<Row> images(Dataset<Row> separated) {
    return separated.filter(col(TABLE).isNull()).drop(TABLE, OCCURRENCE);
  }

  /** The other rows, as a table with numbered rows. */
  public static PromptRows others(Dataset<Row> separated, PromptColumns columns) {
    return new PromptRows(
        separated
            .filter(col(TABLE).isNotNull())
            .select(col(TABLE + ".*"), col(OCCURRENCE).as(RequestRows.NUMBER)),
        columns,
        List.of());
  }

  private static Column raw(StructType table) {
    return struct(
        Arrays.stream(table.fieldNames())
            .map(name -> col("`" + name.replace("`", "``") + "`"))
            .toArray(Column[]::new));
  }

  /** The images of the newest manifest that have a digest. */
  private Dataset<Row> known() {
    StructType read = new StructType();
    for (String name : MergeUnchanged.COLUMNS) {
      read = read.add(name, newest.schema().apply(name).dataType());
    }
    String created = ManifestColumns.CREATED_AT.name();
    return spark
        .read()
        .schema(read)
        .parquet(newest.location())
        .filter(
            ManifestColumns.ROW_DIGEST
                .col()
                .isNotNull()
                .and(col(ID).isNotNull())
                .and(
                    ManifestColumns.STATUS
                        .col()
                        .isin(ImageStatus.GENERATED.label(), ImageStatus.REUSED.label())))
        .withColumn(created, unix_micros(col(created)));
  }

  /** Lengths of all shards; empty if there are too many for the driver. */
  private Optional<Map<UTF8String, Long>> shards() {
    if (store.listing().children(ShardPacker.DIRECTORY, MOST_SHARDS + 1).size() > MOST_SHARDS) {
      return Optional.empty();
    }
    List<ListedObject> listed = store.listing().objects(ShardPacker.DIRECTORY);
    if (listed.size() > MOST_SHARDS) {
      return Optional.empty();
    }
    Map<UTF8String, Long> lengths = new HashMap<>();
    listed.forEach(shard -> lengths.put(UTF8String.fromString(shard.key()), shard.bytes()));
    return Optional.of(lengths);
  }

  /**
   * Id and variant of the images whose objects do not exist or have changed.
   *
   * @param withoutShards whether images in shards are checked elsewhere
   */
  private Dataset<Row> missing(Dataset<Row> known, boolean withoutShards) {
    Column packed = ManifestColumns.MEMBER.col().isNotNull();
    Column length =
        when(ManifestColumns.SHARD_BYTES.col().isNotNull(), ManifestColumns.SHARD_BYTES.col())
            .otherwise(ManifestColumns.BYTES.col());
    Dataset<Row> stored =
        (withoutShards ? known.filter(ManifestColumns.MEMBER.col().isNull()) : known)
            .select(
                col(PATH),
                length.as(LENGTH),
                col(PATH).contains(col(IMAGE_ID)).or(packed).as("named"),
                ManifestColumns.CREATED_AT.col(),
                col(ID),
                col(VARIANT));
    String[] directories =
        Stream.concat(
                Stream.of(PathTemplate.DIRECTORY),
                withoutShards ? Stream.of() : Stream.of(ShardPacker.DIRECTORY))
            .toArray(String[]::new);
    Dataset<Row> listed =
        StoredObjects.listed(spark, store, output, directories).withColumnRenamed(PATH, "listed");
    return stored
        .join(
            listed,
            col(PATH)
                .equalTo(col("listed"))
                .and(col(LENGTH).equalTo(col(StoredObjects.LENGTH)))
                .and(
                    col("named")
                        .or(col(StoredObjects.MODIFIED).leq(ManifestColumns.CREATED_AT.col()))),
            "left_anti")
        .select(col(ID), col(VARIANT));
  }
}
