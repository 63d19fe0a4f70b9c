package io.lightmill.udfs.earlier;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.unix_micros;

import io.lightmill.udfs.ImageStatus;
import io.lightmill.udfs.hosted.SentRequests;
import io.lightmill.udfs.manifest.ManifestColumn;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.plan.RowFunction;
import io.lightmill.udfs.shard.ShardPacker;
import io.lightmill.udfs.shard.StagedImages;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.PathTemplate;
import io.lightmill.udfs.store.SharedConfiguration;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * The images that this run need not draw, since earlier runs over the same output have drawn them
 * or failed to: images of a manifest whose objects exist; images without a manifest, since their
 * run was killed, which their receipts identify; failed images that are not tried again; images
 * that the same image checks have blocked; and images of hosted models that a filter has blocked or
 * whose answers were lost.
 */
public final class EarlierImages {

  /** Struct of the outcome in an earlier run; null if the image is to be drawn. */
  public static final String EARLIER = "earlier";

  static final List<ManifestColumn> COLUMNS =
      List.of(
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

  static final StructType TYPE = ManifestColumn.schema(COLUMNS.toArray(ManifestColumn[]::new));

  /** Images whose ids the driver and each task hold. */
  private static final int MOST_FEW = 200_000;

  private static final String PATH = ManifestColumns.PATH.name();
  private static final String IMAGE_ID = ManifestColumns.IMAGE_ID.name();

  private final SparkSession spark;
  private final String output;
  private final Rerun rerun;
  private final ImageStore store;
  private final List<String> manifests;
  private final boolean staged;
  private final List<SentRequests.Open> unanswered;
  private final boolean lookedFor;

  public EarlierImages(SparkSession spark, String output, Rerun rerun) {
    this.spark = spark;
    this.output = output;
    this.rerun = rerun;
    this.store = ImageStore.open(output, hadoop());
    this.manifests = rerun.manifests(EarlierManifests.committed(store));
    this.staged = !store.listing().children(StagedImages.DIRECTORY).isEmpty();
    this.unanswered =
        rerun.hosted().isEmpty()
            ? List.of()
            : SentRequests.open(
                store, rerun.force() ? Optional.of(rerun.attempt()) : Optional.empty());
    this.lookedFor =
        !manifests.isEmpty()
            || !unanswered.isEmpty()
            || (!rerun.force()
                && (staged || !store.listing().children(PathTemplate.DIRECTORY).isEmpty()));
  }

  /** Whether the output may have any. */
  public boolean lookedFor() {
    return lookedFor;
  }

  /**
   * Marks the images that need not be drawn. All rows of one image, and all that is stored under
   * one path, meet in one task each, by two shuffles.
   *
   * @param images rows of {@link PlannedImages}; read twice if earlier ones are {@link #lookedFor},
   *     so they should be materialized
   */
  public Dataset<Row> marked(Dataset<Row> images) {
    return lookedFor ? marked(images, rows(), objects()) : unmarked(images);
  }

  /**
   * As {@link #marked}, for a part of the images of a run: rows of manifests and objects that do
   * not concern them are not shuffled.
   *
   * @param objects rows of {@link #objects}; read several times
   */
  public Dataset<Row> markedFew(Dataset<Row> images, Dataset<Row> objects) {
    if (images.count() > MOST_FEW) {
      return marked(images, rows(), objects);
    }
    Set<UTF8String> ids = texts(images.select(IMAGE_ID));
    if (ids.isEmpty()) {
      return unmarked(images);
    }
    Set<UTF8String> paths = texts(images.select(PlannedImages.KEY));
    Set<UTF8String> known =
        texts(
            FewRows.of(rows().select(IMAGE_ID, PATH), Map.of(IMAGE_ID, ids, PATH, paths))
                .select(coalesce(col(PATH), lit("")))
                .distinct());
    Set<UTF8String> all = new HashSet<>(paths);
    all.addAll(known);
    Column staged = col(PATH).startsWith(StagedImages.DIRECTORY + "/");
    return marked(
        images,
        known.isEmpty()
            ? rows().filter(lit(false))
            : FewRows.of(rows(), Map.of(IMAGE_ID, ids, PATH, all)),
        objects.filter(staged).union(FewRows.of(objects.filter(not(staged)), Map.of(PATH, all))));
  }

  /** The texts of the only column, without null. */
  static Set<UTF8String> texts(Dataset<Row> rows) {
    return FewRows.set(rows.na().drop().as(Encoders.STRING()).collectAsList());
  }

  private static Dataset<Row> unmarked(Dataset<Row> images) {
    return images.withColumn(EARLIER, lit(null).cast(TYPE));
  }

  private Dataset<Row> rows() {
    return EarlierManifests.rows(spark, output, manifests)
        .withColumn(
            ManifestColumns.CREATED_AT.name(), unix_micros(ManifestColumns.CREATED_AT.col()));
  }

  /** The objects below the output that may be images. */
  public Dataset<Row> objects() {
    return StoredObjects.listed(
        spark,
        store,
        output,
        PathTemplate.DIRECTORY,
        ShardPacker.DIRECTORY,
        StagedImages.DIRECTORY);
  }

  private Dataset<Row> marked(Dataset<Row> images, Dataset<Row> rows, Dataset<Row> objects) {
    Dataset<Row> known = stored(rows, images, objects);
    boolean checked = rerun.imagePolicies().stream().anyMatch(policy -> !policy.isEmpty());
    if (!rerun.retryFailed() || checked || rerun.hosted().isPresent()) {
      known = known.union(history(rows));
    }
    if (!unanswered.isEmpty()) {
      known =
          known.union(
              spark.createDataFrame(
                  unanswered.stream().map(MarkImages::unanswered).toList(), StoredCopies.TYPE));
    }
    Column group = coalesce(col(IMAGE_ID), ManifestColumns.ID.col(), lit(""));
    Dataset<Row> both =
        images
            .select(
                group.as(MarkImages.GROUP),
                lit(null).cast(MarkImages.COPY_TYPE).as(MarkImages.COPY),
                struct(col("*")).as(MarkImages.IMAGE))
            .union(
                known.select(
                    col(IMAGE_ID),
                    col(MarkImages.COPY),
                    lit(null).cast(images.schema()).as(MarkImages.IMAGE)))
            .repartition(col(MarkImages.GROUP))
            .sortWithinPartitions(col(MarkImages.GROUP), col(MarkImages.IMAGE).isNotNull());
    return new RowFunction(
            new MarkImages(
                output,
                serializableHadoop(),
                images.schema(),
                rerun.retryFailed(),
                Set.copyOf(rerun.imagePolicies()),
                rerun.hosted().orElse(null)),
            images.schema().add(EARLIER, TYPE))
        .of(both);
  }

  /** What is stored, as rows of {@link StoredCopies#TYPE}. */
  private Dataset<Row> stored(Dataset<Row> rows, Dataset<Row> images, Dataset<Row> objects) {
    Dataset<Row> all =
        rows.filter(
                ManifestColumns.STATUS
                    .col()
                    .isin(ImageStatus.GENERATED.label(), ImageStatus.REUSED.label()))
            .select(col(PATH), struct(col("*")).as(StoredCopies.ROW), absent(), lit(false))
            .union(
                objects.select(
                    col(PATH),
                    lit(null).cast(rows.schema()),
                    struct(col(StoredObjects.LENGTH), col(StoredObjects.MODIFIED)),
                    lit(false)));
    if (!rerun.force()) {
      all =
          all.union(
              images
                  .filter(col(IMAGE_ID).isNotNull())
                  .select(
                      col(PlannedImages.KEY), lit(null).cast(rows.schema()), absent(), lit(true)));
    }
    Dataset<Row> byPath =
        all.toDF(PATH, StoredCopies.ROW, StoredCopies.OBJECT, StoredCopies.REQUESTED)
            .repartition(col(PATH))
            .sortWithinPartitions(PATH);
    return new RowFunction(
            new StoredCopies(output, serializableHadoop(), rerun.force()), StoredCopies.TYPE)
        .of(byPath);
  }

  private static Column absent() {
    return lit(null).cast(StoredCopies.OBJECT_TYPE);
  }

  /** What became of each image in each manifest that has it. */
  private static Dataset<Row> history(Dataset<Row> rows) {
    Column[] values =
        Stream.concat(
                Arrays.stream(TYPE.fieldNames()).map(name -> col(name)),
                Stream.of(
                    ManifestColumns.CREATED_AT.col().as(MarkImages.AGE),
                    lit(false).as(MarkImages.UNREAD)))
            .toArray(Column[]::new);
    return rows.filter(col(IMAGE_ID).isNotNull())
        .select(col(IMAGE_ID), struct(values).as(MarkImages.COPY));
  }

  private SharedConfiguration serializableHadoop() {
    return new SharedConfiguration(hadoop());
  }

  private Configuration hadoop() {
    return spark.sparkContext().hadoopConfiguration();
  }
}
