package io.lightmill.udfs.earlier;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.history.CommittedRun;
import io.lightmill.udfs.manifest.Manifest;
import io.lightmill.udfs.manifest.ManifestColumns;
import io.lightmill.udfs.manifest.UncommittedFile;
import io.lightmill.udfs.manifest.UncommittedRows;
import io.lightmill.udfs.store.ImageStore;
import io.lightmill.udfs.table.RequestRows;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.unsafe.types.UTF8String;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which digests of a table the newest manifest lacks, and the other way round. */
class ChangedDigestsTest {

  private static final int ROWS = 1600;
  private static final String SHARD = "shards/run_id=a/part-0.tar";
  private static final long SHARD_BYTES = 10;
  private static final SparkSession SPARK = TestSpark.session();

  @TempDir static Path output;

  @BeforeAll
  static void commit() throws IOException {
    List<Row> rows = IntStream.range(0, ROWS).mapToObj(ChangedDigestsTest::image).toList();
    Dataset<Row> manifest = SPARK.createDataFrame(rows, Manifest.COLUMNS).coalesce(1);
    try (UncommittedFile file =
        new UncommittedRows(SPARK, output.toString(), "a").file("manifest", manifest, Map.of())) {
      ImageStore.open(output.toString(), new Configuration())
          .create(Manifest.key("a"), file.body(), Manifest.CONTENT_TYPE);
    }
  }

  private static Row image(int row) {
    return RowFactory.create(
        Arrays.stream(Manifest.COLUMNS.fieldNames())
            .map(
                name ->
                    Map.<String, Object>of(
                            ManifestColumns.ROW_DIGEST.name(),
                            DigestDifferenceTest.digest(row).toString(),
                            ManifestColumns.VARIANT.name(),
                            0,
                            ManifestColumns.PATH.name(),
                            SHARD,
                            ManifestColumns.SHARD_BYTES.name(),
                            SHARD_BYTES)
                        .get(name))
            .toArray());
  }

  /** Of a table with the rows from a number on, and a shard of some length. */
  private static Optional<Set<UTF8String>> changed(int from, long shardBytes) {
    NewestImages newest =
        CommittedRun.newest(output.toString(), new Configuration())
            .flatMap(run -> NewestImages.of(SPARK, run, new StructType()))
            .orElseThrow();
    Dataset<Row> table =
        SPARK.createDataFrame(
            IntStream.range(from, from + ROWS)
                .mapToObj(row -> RowFactory.create(DigestDifferenceTest.digest(row).toString()))
                .toList(),
            new StructType().add(RequestRows.DIGEST, DataTypes.StringType));
    Dataset<Row> objects =
        SPARK.createDataFrame(
            List.of(RowFactory.create(SHARD, shardBytes, 0L)),
            new StructType()
                .add(ManifestColumns.PATH.name(), DataTypes.StringType)
                .add(StoredObjects.LENGTH, DataTypes.LongType)
                .add(StoredObjects.MODIFIED, DataTypes.LongType));
    return UnchangedRows.of(table, newest, objects).map(UnchangedRows::digests);
  }

  /** The rows that only the manifest or only the table has. */
  private static Set<UTF8String> differing(int from) {
    Set<UTF8String> all = new HashSet<>(DigestDifferenceTest.digests(0, from));
    all.addAll(DigestDifferenceTest.digests(ROWS, ROWS + from));
    return all;
  }

  @Test
  void fewAreToldByTheFirstComparison() {
    assertThat(changed(0, SHARD_BYTES)).contains(Set.of());
    assertThat(changed(8, SHARD_BYTES)).contains(differing(8));
  }

  @Test
  void moreAreToldByTheSecond() {
    assertThat(changed(160, SHARD_BYTES)).contains(differing(160));
  }

  @Test
  void halfOfTheTableIsTooMuch() {
    assertThat(changed(800, SHARD_BYTES)).isEmpty();
  }

  @Test
  void rowsOfAShardOfAnotherLengthAreAllChanged() {
    assertThat(changed(0, SHARD_BYTES - 1))
        .contains(new HashSet<>(DigestDifferenceTest.digests(0, ROWS)));
  }
}
