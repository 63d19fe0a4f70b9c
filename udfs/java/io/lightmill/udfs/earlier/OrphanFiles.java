package io.lightmill.udfs.earlier;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count_distinct;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.regexp_extract;

import io.lightmill.udfs.shard.ShardFormat;
import io.lightmill.udfs.shard.ShardIndex;
import io.lightmill.udfs.shard.ShardPacker;
import io.lightmill.udfs.shard.StagedImages;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.store.ListedObject;
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
import org.apache.spark.util.SerializableConfiguration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What packing leaves below an output that nobody wants: staged images that stand in shards, and
 * shards that no manifest names, since the attempt or the run that packed them was lost. For the
 * holder of the output's lock alone.
 */
public final class OrphanFiles {

  private static final Logger LOG = LoggerFactory.getLogger(OrphanFiles.class);

  private static final String TAR = "." + ShardFormat.WEBDATASET.extension();

  private final SparkSession spark;
  private final ImageStore store;
  private final String output;
  private final String runId;

  private OrphanFiles(SparkSession spark, ImageStore store, String output, String runId) {
    this.spark = spark;
    this.store = store;
    this.output = output;
    this.runId = runId;
  }

  /** Those of the output of a run. */
  public static OrphanFiles of(SparkSession spark, String output, String runId) {
    ImageStore store =
        ImageStore.open(output, spark.sparkContext().hadoopConfiguration());
    return new OrphanFiles(spark, store, output, runId);
  }

  /** Before anything is drawn: removes what a run of this name, that was killed, has packed. */
  public void removeShardsOfThisRun() {
    String directory = ShardPacker.directory(runId);
    List<String> keys = new ArrayList<>(store.listing().temporaries(directory));
    store.listing().objects(directory).forEach(object -> keys.add(object.key()));
    remove(keys, directory);
  }

  /**
   * After the manifest is committed: writes the index of its shards, and removes what is left over,
   * of earlier runs too. What cannot be removed is left to the next run.
   *
   * @param held throws where the output is no longer this run's
   */
  public void sweep(Runnable held) {
    try {
      List<ListedObject> shards = store.listing().objects(ShardPacker.DIRECTORY);
      boolean staged = !store.listing().children(StagedImages.DIRECTORY).isEmpty();
      if (!shards.isEmpty() || staged) {
        held.run();
        sweep(shards, staged);
      }
    } catch (RuntimeException e) { // whatever it is, the run succeeded
      LOG.warn(
          "Images and manifest are safe; what packing left over below {} is not all tidied up, and"
              + " left to the next run",
          output,
          e);
    }
  }

  private void sweep(List<ListedObject> shards, boolean staged) {
    Dataset<Row> rows =
        EarlierManifests.rows(spark, output, EarlierManifests.committed(store))
            .filter(col("path").isNotNull());
    Map<String, ShardIndex.Shard> named = named(rows.filter(col("member").isNotNull()));
    writeIndexes(shards, named);
    List<String> orphans = new ArrayList<>(store.listing().temporaries(ShardPacker.DIRECTORY));
    shards.stream()
        .map(ListedObject::key)
        .filter(key -> !named.containsKey(key) && !key.endsWith("/" + ShardIndex.FILE))
        .forEach(orphans::add);
    remove(orphans, ShardPacker.DIRECTORY);
    store.listing().children(ShardPacker.DIRECTORY).forEach(store.removal()::emptyTree);
    if (staged) {
      Set<String> standing =
          shards.stream()
              .filter(shard -> named.containsKey(shard.key()))
              .filter(shard -> named.get(shard.key()).bytes() == shard.bytes())
              .map(ListedObject::key)
              .collect(Collectors.toSet());
      removeStaged(rows, standing);
    }
  }

  /** The shards that rows name, by key. */
  private static Map<String, ShardIndex.Shard> named(Dataset<Row> rows) {
    Map<String, ShardIndex.Shard> named = new TreeMap<>();
    rows.groupBy("path")
        .agg(count_distinct(col("member")), max("shard_bytes"))
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

  /** Of this run, and of those that were killed before they came to it. */
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

  /** Removes the staged images that stand in shards, and those that this run has stored anew. */
  private void removeStaged(Dataset<Row> rows, Set<String> standing) {
    Dataset<Row> shards =
        spark.createDataset(List.copyOf(standing), Encoders.STRING()).toDF("path");
    Dataset<Row> held =
        rows.join(shards, "path")
            .select("image_id")
            .union(rows.filter(col("run_id").equalTo(runId)).select("image_id"));
    SerializableConfiguration hadoop =
        new SerializableConfiguration(spark.sparkContext().hadoopConfiguration());
    StoredObjects.listed(spark, store, output, StagedImages.DIRECTORY)
        .withColumn("image_id", regexp_extract(col("path"), StagedImages.IDENTITY, 1))
        .join(held, new String[] {"image_id"}, "left_semi")
        .select("path")
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
