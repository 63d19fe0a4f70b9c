package io.lightmill.udfs.earlier;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.expr;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max_by;
import static org.apache.spark.sql.functions.regexp_extract;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.when;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.shard.ShardPacker;
import io.lightmill.udfs.shard.StagedImages;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.PathTemplate;
import java.util.Arrays;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/**
 * The images that this run need not draw, since earlier runs over the same output have drawn them
 * or failed to: images of a manifest whose objects exist; images without a manifest, since their
 * run was killed, which their receipts identify; failed images that are not tried again; and images
 * that the same image checks have blocked.
 */
public final class EarlierImages {

  /** Struct of the outcome in an earlier run; null if the image is to be drawn. */
  public static final String EARLIER = "earlier";

  /** The order decides between copies of an image: the first by {@code path} is reused. */
  static final StructType TYPE =
      ManifestColumn.schema(
          ManifestColumns.PATH,
          ManifestColumns.MEMBER,
          ManifestColumns.MEMBER_OFFSET,
          ManifestColumns.SHARD_BYTES,
          ManifestColumns.BYTES,
          ManifestColumns.SHA256,
          ManifestColumns.BLANK,
          ManifestColumns.STATUS,
          ManifestColumns.ERROR_CODE,
          ManifestColumns.ERROR_MESSAGE,
          ManifestColumns.VERDICTS,
          ManifestColumns.VERDICT_STAGE,
          ManifestColumns.POLICY_DIGEST,
          ManifestColumns.SCORES);

  private static final String COPIES = "copies";
  private static final String SETTLED = "settled";
  private static final String EARLIER_ID = "earlier_id";
  private static final String PATH = ManifestColumns.PATH.name();
  private static final String IMAGE_ID = ManifestColumns.IMAGE_ID.name();

  private final SparkSession spark;
  private final String output;
  private final Rerun rerun;
  private final ImageStore store;
  private final List<String> manifests;
  private final boolean staged;
  private final boolean lookedFor;

  public EarlierImages(SparkSession spark, String output, Rerun rerun) {
    this.spark = spark;
    this.output = output;
    this.rerun = rerun;
    this.store = ImageStore.open(output, hadoop());
    this.manifests = rerun.manifests(EarlierManifests.committed(store));
    this.staged = !store.listing().children(StagedImages.DIRECTORY).isEmpty();
    this.lookedFor =
        !manifests.isEmpty()
            || (!rerun.force()
                && (staged || !store.listing().children(PathTemplate.DIRECTORY).isEmpty()));
  }

  /** Whether the output may have any. */
  public boolean lookedFor() {
    return lookedFor;
  }

  /**
   * Marks the images that need not be drawn.
   *
   * @param images rows of {@link PlannedImages}; read twice if earlier ones are {@link #lookedFor},
   *     so they should be materialized
   */
  public Dataset<Row> marked(Dataset<Row> images) {
    if (!lookedFor) {
      return images.withColumn(EARLIER, lit(null).cast(TYPE));
    }
    Dataset<Row> rows = EarlierManifests.rows(spark, output, manifests);
    Dataset<Row> copies =
        stored(rows, images)
            .groupBy(col(IMAGE_ID).as(EARLIER_ID))
            .agg(collect_list(struct(columns(TYPE))).as(COPIES));
    Dataset<Row> settled = settled(rows);
    Column earlier =
        coalesce(
            expr("try_element_at(filter(copies, copy -> copy.path = key), 1)"),
            expr("array_min(copies)"),
            col(SETTLED));
    return images
        .join(copies, col(IMAGE_ID).equalTo(col(EARLIER_ID)), "left")
        .drop(EARLIER_ID)
        .join(settled, col(IMAGE_ID).equalTo(col(EARLIER_ID)), "left")
        .withColumn(EARLIER, earlier)
        .drop(EARLIER_ID, COPIES, SETTLED)
        .withColumn(PlannedImages.BATCH_KEY, unlessEarlier(PlannedImages.BATCH_KEY))
        .withColumn(PlannedImages.COST, unlessEarlier(PlannedImages.COST));
  }

  private static Column unlessEarlier(String column) {
    return when(col(EARLIER).isNull(), col(column));
  }

  /** Images whose objects exist. Each copy is a row with the {@code image_id} and {@link #TYPE}. */
  private Dataset<Row> stored(Dataset<Row> rows, Dataset<Row> images) {
    Dataset<Row> listed =
        StoredObjects.listed(
            spark,
            store,
            output,
            PathTemplate.DIRECTORY,
            ShardPacker.DIRECTORY,
            StagedImages.DIRECTORY);
    Dataset<Row> known = EarlierManifests.stored(rows);
    Dataset<Row> alive = known.join(listed, PATH).filter(unchanged());
    if (rerun.force()) {
      return alive.select(image());
    }
    Dataset<Row> unknown = listed.select(PATH).join(alive, new String[] {PATH}, "left_anti");
    Dataset<Row> named =
        unknown.join(
            images.select(col(PlannedImages.KEY).as(PATH)), new String[] {PATH}, "left_semi");
    Dataset<Row> unlisted = staged ? named.union(staged(unknown, images, alive)) : named;
    Dataset<Row> read =
        unlisted.mapPartitions(
            new ReadReceipts(output, new SerializableConfiguration(hadoop())),
            Encoders.row(ReadReceipts.TYPE));
    return alive.select(image()).union(read.select(image()));
  }

  private static Column[] image() {
    return new Column[] {
      col(IMAGE_ID),
      col(PATH),
      ManifestColumns.MEMBER.col(),
      ManifestColumns.MEMBER_OFFSET.col(),
      ManifestColumns.SHARD_BYTES.col(),
      ManifestColumns.BYTES.col(),
      ManifestColumns.SHA256.col(),
      ManifestColumns.BLANK.col(),
      lit(ImageStatus.REUSED.label()).as(ManifestColumns.STATUS.name()),
      lit(null).cast("string").as(ManifestColumns.ERROR_CODE.name()),
      lit(null).cast("string").as(ManifestColumns.ERROR_MESSAGE.name()),
      ManifestColumns.VERDICTS.col(),
      ManifestColumns.VERDICT_STAGE.col(),
      ManifestColumns.POLICY_DIGEST.col(),
      ManifestColumns.SCORES.col()
    };
  }

  /** Images that a killed run has drawn but not packed; their names are their identities. */
  private static Dataset<Row> staged(
      Dataset<Row> unknown, Dataset<Row> images, Dataset<Row> alive) {
    return unknown
        .filter(col(PATH).startsWith(StagedImages.DIRECTORY + "/"))
        .withColumn(IMAGE_ID, regexp_extract(col(PATH), StagedImages.IDENTITY, 1))
        .join(images.select(IMAGE_ID), new String[] {IMAGE_ID}, "left_semi")
        .join(alive.select(IMAGE_ID), new String[] {IMAGE_ID}, "left_anti")
        .select(PATH);
  }

  /**
   * An object whose key holds the identity of the image is that image. An object under another key
   * may have been replaced since by a run without a manifest; then it is younger than the row. The
   * names of shards are hashes of their content.
   */
  private static Column unchanged() {
    Column named = col(PATH).contains(col(IMAGE_ID));
    Column older = col(StoredObjects.MODIFIED).leq(ManifestColumns.CREATED_AT.col());
    return coalesce(ManifestColumns.SHARD_BYTES.col(), ManifestColumns.BYTES.col())
        .equalTo(col(StoredObjects.LENGTH))
        .and(named.or(older).or(ManifestColumns.MEMBER.col().isNotNull()));
  }

  /**
   * Images that have failed or were blocked in the latest manifest that has them, and are not tried
   * again.
   */
  private Dataset<Row> settled(Dataset<Row> rows) {
    Column failed = last(ManifestColumns.STATUS).equalTo(ImageStatus.FAILED.label());
    Column blocked =
        last(ManifestColumns.STATUS)
            .equalTo(ImageStatus.BLOCKED.label())
            .and(last(ManifestColumns.POLICY_DIGEST).isin(rerun.imagePolicies().toArray()));
    return rows.filter(col(IMAGE_ID).isNotNull())
        .groupBy(col(IMAGE_ID).as(EARLIER_ID))
        .agg(max_by(struct(col("*")), ManifestColumns.CREATED_AT.col()).as("last"))
        .filter(failed.and(lit(!rerun.retryFailed())).or(blocked))
        .select(col(EARLIER_ID), struct(columns("last.", TYPE)).as(SETTLED));
  }

  private static Column last(ManifestColumn column) {
    return col("last." + column.name());
  }

  private Configuration hadoop() {
    return spark.sparkContext().hadoopConfiguration();
  }

  private static Column[] columns(StructType type) {
    return columns("", type);
  }

  private static Column[] columns(String prefix, StructType type) {
    return Arrays.stream(type.fieldNames())
        .map(name -> col(prefix + name).as(name))
        .toArray(Column[]::new);
  }
}
