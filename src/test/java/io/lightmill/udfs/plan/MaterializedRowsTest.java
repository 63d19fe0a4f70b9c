package io.lightmill.udfs.plan;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.udf;
import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.device.Cluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.LongStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import scala.Option;
import scala.jdk.javaapi.CollectionConverters;

class MaterializedRowsTest {

  private static final long ROWS = 50;
  private static final Cluster CLUSTER = new Cluster(false, 2, false, 0);
  private static final Option<String> CHECKPOINTS =
      TestSpark.session().sparkContext().getCheckpointDir();
  private static final AtomicReference<Map<String, String>> WITHIN = new AtomicReference<>();
  private static final AtomicInteger COMPUTED = new AtomicInteger();

  private final SparkSession spark = TestSpark.session();
  @TempDir Path output;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void computesEachRowOnceHoweverOftenItIsRead(boolean local) {
    COMPUTED.set(0);
    try (MaterializedRows kept = kept(local)) {
      assertThat(values(kept)).containsExactlyElementsOf(squares());
      assertThat(values(kept)).containsExactlyElementsOf(squares());
    }
    assertThat(COMPUTED).hasValue((int) ROWS);
  }

  @Test
  void keepsThemBelowTheOutputOfAClusterUntilClosed() {
    try (MaterializedRows kept = kept(false)) {
      assertThat(kept.rows().isEmpty()).isFalse();
      assertThat(output.resolve(".plan")).isNotEmptyDirectory();
    }
    assertThat(output.resolve(".plan")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void keepsAStructWithoutFieldsAndNamesOfAllKinds(boolean local) {
    Dataset<Row> rows = spark.sql("SELECT 1 AS a, struct() AS passthrough, 2 AS `b.c d`");
    try (MaterializedRows kept =
        MaterializedRows.of(rows, new Cluster(false, 2, local, 0), output.toString(), "run")) {
      assertThat(kept.rows().schema().simpleString()).isEqualTo(rows.schema().simpleString());
      assertThat(kept.rows().collectAsList())
          .containsExactly(RowFactory.create(1, RowFactory.create(), 2));
    }
  }

  @Test
  void changesNoSettingOfTheSession() {
    Map<String, String> before = settings();
    UDF1<Long, Long> look =
        value -> {
          WITHIN.set(settings());
          return value;
        };
    Dataset<Row> rows =
        spark.range(1).select(udf(look, DataTypes.LongType).apply(col("id")).as("n"));

    try (MaterializedRows kept = MaterializedRows.of(rows, CLUSTER, output.toString(), "run")) {
      assertThat(values(kept)).containsExactly(0L);
      assertThat(WITHIN).hasValue(before);
      assertThat(settings()).isEqualTo(before);
    }
    assertThat(spark.sparkContext().getCheckpointDir()).isEqualTo(CHECKPOINTS);
  }

  private static Map<String, String> settings() {
    return CollectionConverters.asJava(TestSpark.session().conf().getAll());
  }

  /** Batches are whole only if the partitions stay what they are. */
  @Test
  void keepsThePartitionsOfAClusterAndTheirOrder() {
    Dataset<Row> rows =
        spark
            .range(2000)
            .selectExpr("id as n", "cast(id % 7 as int) as p")
            .repartitionById(7, col("p"))
            .sortWithinPartitions(col("n").desc());

    try (MaterializedRows kept =
        MaterializedRows.shuffled(rows, CLUSTER, output.toString(), "run")) {
      List<List<Row>> partitions = kept.rows().javaRDD().glom().collect();

      assertThat(partitions).hasSize(7);
      assertThat(partitions)
          .allSatisfy(
              partition -> {
                assertThat(partition).extracting(row -> row.getInt(1)).hasSizeGreaterThan(280);
                assertThat(partition.stream().map(row -> row.getInt(1)).distinct()).hasSize(1);
                assertThat(partition)
                    .extracting(row -> row.getLong(0))
                    .isSortedAccordingTo(Comparator.reverseOrder());
              });
    }
  }

  @Test
  void runsOverTwoOutputsAtOnceKeepTheirOwn(@TempDir Path other) {
    try (MaterializedRows kept = kept(false)) {
      try (MaterializedRows twin =
          MaterializedRows.of(spark.range(3).toDF("n"), CLUSTER, other.toString(), "run")) {
        assertThat(values(twin)).containsExactly(0L, 1L, 2L);
        assertThat(values(kept)).containsExactlyElementsOf(squares());
      }
      assertThat(other.resolve(".plan")).doesNotExist();
      assertThat(values(kept)).containsExactlyElementsOf(squares());
    }
  }

  @Test
  void closingTheLastRowsRemovesThoseOfKilledRuns() throws IOException {
    Files.createDirectories(output.resolve(".plan/run_id=killed/x"));
    try (MaterializedRows outer = kept(false)) {
      kept(false).close();
      assertThat(values(outer)).hasSize((int) ROWS);
    }
    assertThat(output.resolve(".plan")).doesNotExist();
  }

  private MaterializedRows kept(boolean local) {
    UDF1<Long, Long> square =
        value -> {
          COMPUTED.incrementAndGet();
          return value * value;
        };
    Dataset<Row> rows =
        spark
            .range(ROWS)
            .select(udf(square, DataTypes.LongType).asNondeterministic().apply(col("id")).as("n"));
    return MaterializedRows.of(rows, new Cluster(false, 2, local, 0), output.toString(), "run");
  }

  private static List<Long> values(MaterializedRows kept) {
    return kept.rows().sort("n").collectAsList().stream().map(row -> row.getLong(0)).toList();
  }

  private static List<Long> squares() {
    return LongStream.range(0, ROWS).map(n -> n * n).boxed().toList();
  }
}
