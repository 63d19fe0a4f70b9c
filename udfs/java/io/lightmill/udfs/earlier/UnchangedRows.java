package io.lightmill.udfs.earlier;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.unix_micros;
import static org.apache.spark.sql.functions.when;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.plan.PlannedImages;
import io.lightmill.udfs.plan.SettledImages;
import io.lightmill.udfs.rows.MappedPartitions;
import io.lightmill.udfs.shard.ShardPacker;
import io.lightmill.udfs.table.RequestRows;
import io.lightmill.udfs.table.RowDigests;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.SparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * The rows of a table that are as in the newest run, and so need not be planned again: rows whose
 * digest the newest manifest has in all images of the row, if all these images exist. Images exist
 * by the same rules as in {@link EarlierImages}. Neither table nor manifest is shuffled: both are
 * read, and {@link DigestDifference} tells the digests that only one of them has.
 *
 * @param newest images of the newest manifest
 * @param digests of the rows that are to be planned, and of the images that the plan leaves out
 */
public record UnchangedRows(NewestImages newest, Set<UTF8String> digests) {

  /**
   * Rows of a manifest from which on comparing digests is worth its time. For fewer, its Spark jobs
   * take longer, and its calls to the store cost more, than planning all rows again.
   */
  public static final long MANY_ROWS = 20_000;

  /** Digests that the driver and each task hold, at most. */
  static final int MOST_DIGESTS = 400_000;

  /**
   * The parts of the rows that may differ, one after the other. Each task sends a table of that
   * size to the driver, so the first is small; with more differences than the last one allows,
   * planning all rows again is as cheap.
   */
  private static final int[] ROWS_PER_DIFFERENCE = {25, 4};

  /** Lengths of shards that the driver and each task hold, at most. */
  private static final int MOST_SHARDS = 100_000;

  /** Tasks that compare digests. Each sends what it found to the driver, at once. */
  private static final int MOST_TASKS = 16;

  /**
   * Compares a table with the newest run.
   *
   * @param table with {@link RequestRows#DIGEST}; materialized
   * @param objects rows of {@link EarlierImages#objects}; materialized
   * @return empty if too much has changed, so that all rows are to be planned
   */
  public static Optional<UnchangedRows> of(
      Dataset<Row> table, NewestImages newest, Dataset<Row> objects) {
    return shards(objects)
        .flatMap(lengths -> changed(table, newest, lengths, objects))
        .map(digests -> new UnchangedRows(newest, digests));
  }

  /** Lengths of all shards; empty if there are too many. */
  private static Optional<Map<UTF8String, Long>> shards(Dataset<Row> objects) {
    Map<UTF8String, Long> lengths = new HashMap<>();
    objects
        .filter(ManifestColumns.PATH.col().startsWith(ShardPacker.DIRECTORY + "/"))
        .limit(MOST_SHARDS + 1)
        .collectAsList()
        .forEach(
            shard ->
                lengths.put(
                    UTF8String.fromString(ManifestColumns.PATH.of(shard)),
                    shard.getAs(StoredObjects.LENGTH)));
    return lengths.size() > MOST_SHARDS ? Optional.empty() : Optional.of(lengths);
  }

  /** The digests of rows that are not as in the manifest; empty if there are too many. */
  private static Optional<Set<UTF8String>> changed(
      Dataset<Row> table, NewestImages newest, Map<UTF8String, Long> shards, Dataset<Row> objects) {
    int[] sizes =
        Arrays.stream(ROWS_PER_DIFFERENCE)
            .map(rows -> (int) Math.min(MOST_DIGESTS, newest.run().rows() / rows))
            .distinct() // from ten million rows on, both are MOST_DIGESTS
            .toArray();
    for (int most : sizes) {
      StoredDigests.Found found = StoredDigests.of(newest, most, shards);
      DigestDifference difference = found.digests();
      digests(table, most).forEach(difference::add);
      Optional<Set<UTF8String>> differing = difference.removed();
      if (differing.isPresent()) {
        Set<UTF8String> all = withMissing(differing.get(), found, newest, objects);
        return Optional.of(all).filter(it -> it.size() <= MOST_DIGESTS);
      }
    }
    return Optional.empty();
  }

  private static Set<UTF8String> withMissing(
      Set<UTF8String> differing,
      StoredDigests.Found found,
      NewestImages newest,
      Dataset<Row> objects) {
    Set<UTF8String> all = new HashSet<>(differing);
    all.addAll(found.missing());
    if (found.unpacked()) {
      all.addAll(some(missing(newest.rows(), objects)));
    }
    if (found.several()) {
      all.addAll(some(incomplete(newest.rows())));
    }
    return all;
  }

  private static List<DigestDifference> digests(Dataset<Row> table, int most) {
    int column = table.schema().fieldIndex(RequestRows.DIGEST);
    return MappedPartitions.collected(
        MappedPartitions.of(
            fewTasks(table),
            (Iterator<InternalRow> rows) -> {
              DigestDifference digests = new DigestDifference(most);
              rows.forEachRemaining(row -> digests.add(row.getUTF8String(column), 1));
              return List.of(digests).iterator();
            }),
        table.sparkSession());
  }

  static RDD<InternalRow> fewTasks(Dataset<Row> rows) {
    return ((org.apache.spark.sql.classic.Dataset<Row>) rows.coalesce(MOST_TASKS))
        .queryExecution()
        .toRdd();
  }

  private static Set<UTF8String> some(Dataset<Row> images) {
    return FewRows.set(
        images
            .select(RowDigests.ofRow(ManifestColumns.ROW_DIGEST.col()))
            .distinct()
            .limit(MOST_DIGESTS + 1)
            .as(Encoders.STRING())
            .collectAsList());
  }

  /** Images that are not in shards and whose objects do not exist or have changed. */
  private static Dataset<Row> missing(Dataset<Row> rows, Dataset<Row> objects) {
    String listed = "listed";
    Column path = ManifestColumns.PATH.col();
    Column named = path.contains(ManifestColumns.IMAGE_ID.col());
    Column created = unix_micros(ManifestColumns.CREATED_AT.col());
    return rows.filter(ManifestColumns.SHARD_BYTES.col().isNull())
        .select(
            ManifestColumns.ROW_DIGEST.col(),
            path,
            ManifestColumns.BYTES.col(),
            when(named, lit(Long.MAX_VALUE)).otherwise(created).as(listed))
        .join(
            objects.withColumnRenamed(ManifestColumns.PATH.name(), "key"),
            path.equalTo(col("key"))
                .and(ManifestColumns.BYTES.col().equalTo(col(StoredObjects.LENGTH)))
                .and(col(StoredObjects.MODIFIED).leq(col(listed))),
            "left_anti");
  }

  /** Images of rows some of whose images are not in the manifest or have no digest. */
  private static Dataset<Row> incomplete(Dataset<Row> rows) {
    Column digest = ManifestColumns.ROW_DIGEST.col();
    return rows.filter(digest.notEqual(RowDigests.ofRow(digest)))
        .groupBy(ManifestColumns.ID.col(), digest)
        .agg(count(lit(1)).as("images"))
        .filter(digest.notEqual(RowDigests.ofImages(RowDigests.ofRow(digest), col("images"))));
  }

  /** The rows of a table with digests that are to be planned. */
  public Dataset<Row> others(Dataset<Row> table) {
    return FewRows.of(table, Map.of(RequestRows.DIGEST, digests));
  }

  /**
   * The images of the unchanged rows.
   *
   * @param others rows of {@link PlannedImages} of all other rows
   */
  public SettledImages images(Dataset<Row> others, ClassifierFreeGuidance guidance) {
    SparkContext spark = others.sparkSession().sparkContext();
    Broadcast<Set<UTF8String>> left = FewRows.broadcast(spark, digests);
    Set<UTF8String> ids = EarlierImages.texts(others.select(ManifestColumns.ID.col()));
    SettledRows.Counts counts =
        new SettledRows(left, FewRows.broadcast(spark, ids), guidance).of(newest);
    UDF1<String, Boolean> kept =
        digest -> !left.value().contains(RowDigests.ofRow(UTF8String.fromString(digest)));
    return new SettledImages(
        newest.planned(
            udf(kept, DataTypes.BooleanType).apply(ManifestColumns.ROW_DIGEST.col()), guidance),
        counts.images(),
        counts.duplicates(),
        counts.idle());
  }
}
