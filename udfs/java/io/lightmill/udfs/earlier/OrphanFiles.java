package io.lightmill.udfs.earlier;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count_distinct;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.regexp_extract;

import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.shard.ShardFormat;
import io.lightmill.udfs.shard.ShardIndex;
import io.lightmill.udfs.shard.ShardPacker;
import io.lightmill.udfs.shard.StagedImages;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.ListedObject;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.commons.lang3.StringUtils;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import io.lightmill.udfs.store.SharedConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Orphan files of packing: staged images that are packed by now, and shards without a manifest,
 * since the attempt or the run that packed them was lost. Only the run that holds the lock of the
 * output may remove them.
 */
public final class OrphanFiles {

  private static final Logger LOG = LoggerFactory.getLogger(OrphanFiles.class);

  private static final String TAR = "." + ShardFormat.WEBDATASET.extension();

  /** Another table may request the staged images of a killed run; this run did not. */
  private static final Duration KEPT = Duration.ofDays(7);

  private static final String PACKED = "packed";

  private final SparkSession spark;
  private final ImageStore store;
  private final String output;
  private final String runId;
  private final Instant now;

  private OrphanFiles(
      SparkSession spark, ImageStore store, String output, String runId, Instant now) {
    this.spark = spark;
    this.store = store;
    this.output = output;
    this.runId = runId;
    this.now = now;
  }

  /**
   * The orphan files that a run finds below its output.
   *
   * @param now by the clock of the store
   */
  public static OrphanFiles of(SparkSession spark, String output, String runId, Instant now) {
    ImageStore store = ImageStore.open(output, spark.sparkContext().hadoopConfiguration());
    return new OrphanFiles(spark, store, output, runId, now);
  }

  /** Before drawing: removes the shards of a killed run with this id. */
  public void removeShardsOfThisRun() {
    String directory = ShardPacker.directory(runId);
    List<String> keys = new ArrayList<>(store.listing().temporaries(directory));
    store.listing().objects(directory).forEach(object -> keys.add(object.key()));
    remove(keys, directory);
  }

  /**
   * After the commit: writes the index of the run's shards and removes orphan files, of earlier
   * runs too. Files that cannot be removed are left to the next run.
   *
   * @param requireLock throws if the run no longer holds the lock of the output
   */
  public void sweep(Runnable requireLock) {
    try {
      List<ListedObject> shards = store.listing().objects(ShardPacker.DIRECTORY);
      boolean staged = !store.listing().children(StagedImages.DIRECTORY).isEmpty();
      if (!shards.isEmpty() || staged) {
        requireLock.run();
        sweep(shards, staged);
      }
    } catch (Exception e) { // of any kind, also what Spark does not declare: the run succeeded
      LOG.warn(
          "Images and manifest are complete; some orphan files of packing below {} could not be"
              + " removed and are left to the next run",
          output,
          e);
    }
  }

  private void sweep(List<ListedObject> shards, boolean staged) {
    Dataset<Row> rows =
        EarlierManifests.rows(spark, output, EarlierManifests.committed(store))
            .filter(ManifestColumns.PATH.col().isNotNull());
    Map<String, ShardIndex.Shard> named =
        named(rows.filter(ManifestColumns.MEMBER.col().isNotNull()));
    writeIndexes(shards, named);
    List<String> orphans = new ArrayList<>(store.listing().temporaries(ShardPacker.DIRECTORY));
    shards.stream()
        .map(ListedObject::key)
        .filter(key -> !named.containsKey(key) && !key.endsWith("/" + ShardIndex.FILE))
        .forEach(orphans::add);
    remove(orphans, ShardPacker.DIRECTORY);
    store.listing().children(ShardPacker.DIRECTORY).forEach(store.removal()::emptyTree);
    if (staged) {
      Set<String> complete =
          shards.stream()
              .filter(shard -> named.containsKey(shard.key()))
              .filter(shard -> named.get(shard.key()).bytes() == shard.bytes())
              .map(ListedObject::key)
              .collect(Collectors.toSet());
      removeStaged(rows, complete);
    }
  }

  /** The shards of rows, by key. */
  private static Map<String, ShardIndex.Shard> named(Dataset<Row> rows) {
    Map<String, ShardIndex.Shard> named = new TreeMap<>();
    rows.groupBy(ManifestColumns.PATH.col())
        .agg(count_distinct(ManifestColumns.MEMBER.col()), max(ManifestColumns.SHARD_BYTES.col()))
        .collectAsList()
        .forEach(
            row ->
                named.put(
                    row.getString(0),
                    new ShardIndex.Shard(
                        StringUtils.substringAfterLast(row.getString(0), "/"),
                        row.getLong(1),
                        row.getLong(2))));
    return named;
  }

  /** Writes the indexes of this run, and of runs that were killed before they could. */
  private void writeIndexes(List<ListedObject> shards, Map<String, ShardIndex.Shard> named) {
    Set<String> indexed = new HashSet<>();
    Map<String, List<ShardIndex.Shard>> byRun = new TreeMap<>();
    for (ListedObject shard : shards) {
      String key = shard.key();
      String directory = StringUtils.substringBeforeLast(key, "/");
      if (key.endsWith("/" + ShardIndex.FILE)) {
        indexed.add(directory);
      } else if (key.endsWith(TAR) && named.containsKey(key)) {
        byRun.computeIfAbsent(directory, run -> new ArrayList<>()).add(named.get(key));
      }
    }
    byRun.forEach(
        (directory, list) -> {
          if (!indexed.contains(directory)) {
            String name = StringUtils.substringAfterLast(directory, "=");
            store.put(
                directory + "/" + ShardIndex.FILE,
                ShardIndex.of(name, list).json(),
                "application/json");
          }
        });
  }

  /**
   * Removes the staged images that are in shards, those that this run has stored again, and those
   * that no run has requested for {@link #KEPT}.
   */
  private void removeStaged(Dataset<Row> rows, Set<String> complete) {
    String path = ManifestColumns.PATH.name();
    String imageId = ManifestColumns.IMAGE_ID.name();
    Dataset<Row> shards = spark.createDataset(List.copyOf(complete), Encoders.STRING()).toDF(path);
    Dataset<Row> packed =
        rows.join(shards, path)
            .select(imageId)
            .union(rows.filter(ManifestColumns.RUN_ID.col().equalTo(runId)).select(imageId));
    SharedConfiguration hadoop =
        new SharedConfiguration(spark.sparkContext().hadoopConfiguration());
    StoredObjects.listed(spark, store, output, StagedImages.DIRECTORY)
        .withColumn(imageId, regexp_extract(ManifestColumns.PATH.col(), StagedImages.IDENTITY, 1))
        .join(packed.distinct().withColumn(PACKED, lit(true)), new String[] {imageId}, "left")
        .filter(col(PACKED).or(col(StoredObjects.MODIFIED).lt(lit(ChronoUnit.MICROS.between(Instant.EPOCH, now.minus(KEPT))))))
        .select(path)
        .as(Encoders.STRING())
        .foreachPartition(new RemoveObjects(output, hadoop));
    store.removal().emptyTree(StagedImages.DIRECTORY);
  }

  private void remove(List<String> keys, String directory) {
    if (!keys.isEmpty()) {
      store.removal().objects(keys);
      keys.stream()
          .map(key -> StringUtils.substringBeforeLast(key, "/"))
          .distinct()
          .forEach(store.removal()::emptyTree);
      store.removal().emptyTree(directory);
    }
  }
}
