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
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.shard.ShardPacker;
import io.lightmill.udfs.shard.StagedImages;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.PathTemplate;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.util.SerializableConfiguration;

/**
 * What earlier runs left below the same output, and this one need not draw: images that a manifest
 * names and whose objects are there; images that no manifest names, since their run was killed, but
 * whose own receipts say what they are; and images that were refused.
 */
public final class EarlierImages {

  /** Struct of what the manifest will say without drawing; null if the image is to be drawn. */
  public static final String EARLIER = "earlier";

  /** {@code path} comes first: of several copies, the first in this order stands for all. */
  static final StructType TYPE =
      new StructType()
          .add("path", DataTypes.StringType)
          .add("member", DataTypes.StringType)
          .add("member_offset", DataTypes.LongType)
          .add("shard_bytes", DataTypes.LongType)
          .add("bytes", DataTypes.LongType)
          .add("sha256", DataTypes.StringType)
          .add("status", DataTypes.StringType)
          .add("error_code", DataTypes.StringType)
          .add("error_message", DataTypes.StringType);

  private static final String COPIES = "copies";
  private static final String REFUSED = "refused";
  private static final String EARLIER_ID = "earlier_id";

  private final SparkSession spark;
  private final Rerun rerun;
  private final Optional<String> policyDigest;
  private final ImageStore store;
  private final List<String> manifests;
  private final boolean staged;
  private final boolean lookedFor;

  /**
   * @param policyDigest of the content policy of this run; images that the same policy blocked stay
   *     blocked, and without a policy none does
   */
  public EarlierImages(
      SparkSession spark, Rerun rerun, Optional<String> policyDigest) {
    this.spark = spark;
    this.rerun = rerun;
    this.policyDigest = policyDigest;
    this.store = ImageStore.open(rerun.output(), hadoop());
    this.manifests = EarlierManifests.committed(store);
    this.staged = !store.listing().children(StagedImages.DIRECTORY).isEmpty();
    this.lookedFor =
        !rerun.force()
            && !(manifests.isEmpty()
                && store.listing().children(PathTemplate.DIRECTORY).isEmpty()
                && !staged);
  }

  /** Whether there may be any to find. */
  public boolean lookedFor() {
    return lookedFor;
  }

  /**
   * Marks the images that need no drawing.
   *
   * @param images rows of {@link PlannedImages}; read twice where earlier ones are {@link
   *     #lookedFor}, so better frozen
   */
  public Dataset<Row> marked(Dataset<Row> images) {
    if (!lookedFor) {
      return images.withColumn(EARLIER, lit(null).cast(TYPE));
    }
    Dataset<Row> rows = EarlierManifests.rows(spark, rerun.output(), manifests);
    Dataset<Row> copies =
        there(rows, images)
            .groupBy(col("image_id").as(EARLIER_ID))
            .agg(collect_list(struct(columns(TYPE))).as(COPIES));
    Dataset<Row> refused = refused(rows);
    Column earlier =
        coalesce(
            expr("try_element_at(filter(copies, copy -> copy.path = key), 1)"),
            expr("array_min(copies)"),
            col(REFUSED));
    return images
        .join(copies, col("image_id").equalTo(col(EARLIER_ID)), "left")
        .drop(EARLIER_ID)
        .join(refused, col("image_id").equalTo(col(EARLIER_ID)), "left")
        .withColumn(EARLIER, earlier)
        .drop(EARLIER_ID, COPIES, REFUSED)
        .withColumn(PlannedImages.BATCH_KEY, unlessEarlier(PlannedImages.BATCH_KEY))
        .withColumn(PlannedImages.COST, unlessEarlier(PlannedImages.COST));
  }

  private static Column unlessEarlier(String column) {
    return when(col(EARLIER).isNull(), col(column));
  }

  /**
   * Images whose objects are there, each copy a row of {@link #TYPE} after its {@code image_id}.
   */
  private Dataset<Row> there(Dataset<Row> rows, Dataset<Row> images) {
    Dataset<Row> listed =
        StoredObjects.listed(
            spark,
            store,
            rerun.output(),
            PathTemplate.DIRECTORY,
            ShardPacker.DIRECTORY,
            StagedImages.DIRECTORY);
    Dataset<Row> known = EarlierManifests.stored(rows);
    Dataset<Row> alive = known.join(listed, "path").filter(unchanged());
    Dataset<Row> unknown = listed.select("path").join(alive, new String[] {"path"}, "left_anti");
    Dataset<Row> named =
        unknown.join(images.select(col("key").as("path")), new String[] {"path"}, "left_semi");
    Dataset<Row> wanted = staged ? named.union(staged(unknown, images, alive)) : named;
    Dataset<Row> read =
        wanted.mapPartitions(
            new ReadReceipts(rerun.output(), new SerializableConfiguration(hadoop())),
            Encoders.row(ReadReceipts.TYPE));
    Column[] image =
        new Column[] {
          col("image_id"),
          col("path"),
          col("member"),
          col("member_offset"),
          col("shard_bytes"),
          col("bytes"),
          col("sha256"),
          lit(ImageStatus.REUSED.label()).as("status"),
          lit(null).cast("string").as("error_code"),
          lit(null).cast("string").as("error_message")
        };
    return alive.select(image).union(read.select(image));
  }

  /** Images that a run which was killed had drawn, but not packed; they are named by identity. */
  private static Dataset<Row> staged(
      Dataset<Row> unknown, Dataset<Row> images, Dataset<Row> alive) {
    return unknown
        .filter(col("path").startsWith(StagedImages.DIRECTORY + "/"))
        .withColumn("image_id", regexp_extract(col("path"), StagedImages.IDENTITY, 1))
        .join(images.select("image_id"), new String[] {"image_id"}, "left_semi")
        .join(alive.select("image_id"), new String[] {"image_id"}, "left_anti")
        .select("path");
  }

  /**
   * An object that is named by its image is that image. What was stored under another name may
   * since have given way to another image, in a run without a manifest: then it is younger than the
   * row. Shards are named by their content.
   */
  private static Column unchanged() {
    Column named = col("path").contains(col("image_id"));
    Column older = col(StoredObjects.MODIFIED).leq(col("created_at"));
    return coalesce(col("shard_bytes"), col("bytes"))
        .equalTo(col(StoredObjects.LENGTH))
        .and(named.or(older).or(col("member").isNotNull()));
  }

  /** Images that the latest manifest to name them left blocked or failed, and that stay so. */
  private Dataset<Row> refused(Dataset<Row> rows) {
    Column blocked =
        col("last.status")
            .equalTo(ImageStatus.BLOCKED.label())
            .and(col("last.policy_digest").equalTo(policyDigest.orElse(null)));
    Column failed =
        col("last.status")
            .equalTo(ImageStatus.FAILED.label())
            .and(lit(!rerun.retryFailed()));
    return rows.filter(col("image_id").isNotNull())
        .groupBy(col("image_id").as(EARLIER_ID))
        .agg(max_by(struct(col("*")), col("created_at")).as("last"))
        .filter(blocked.or(failed))
        .select(col(EARLIER_ID), struct(columns("last.", TYPE)).as(REFUSED));
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
