package io.lightmill.udfs.plan;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.udf;
import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.TestSpark;
import io.lightmill.udfs.device.Cluster;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.LongStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataTypes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MaterializedRowsTest {

  private static final long ROWS = 50;
  private static final AtomicInteger COMPUTED = new AtomicInteger();

  private final SparkSession spark = TestSpark.session();
  @TempDir Path output;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void computesEachRowOnceHoweverOftenItIsRead(boolean local) {
    COMPUTED.set(0);
    try (MaterializedRows frozen = frozen(local)) {
      assertThat(values(frozen)).containsExactlyElementsOf(squares());
      assertThat(values(frozen)).containsExactlyElementsOf(squares());
    }
    assertThat(COMPUTED).hasValue((int) ROWS);
  }

  @Test
  void keepsThemBelowTheOutputOfAClusterUntilClosed() {
    try (MaterializedRows frozen = frozen(false)) {
      assertThat(frozen.rows().isEmpty()).isFalse();
      assertThat(output.resolve(".plan")).isNotEmptyDirectory();
    }
    assertThat(output.resolve(".plan")).doesNotExist();
  }

  @Test
  void leavesTheSessionItsOwnCheckpointDirectory(@TempDir Path own) {
    spark.sparkContext().setCheckpointDir(own.toString());
    String before = spark.sparkContext().getCheckpointDir().get();
    try (MaterializedRows frozen = frozen(false)) {
      assertThat(spark.sparkContext().getCheckpointDir().get()).isEqualTo(before);
      assertThat(values(frozen)).hasSize((int) ROWS);
    }
    assertThat(Path.of(URI.create(before).getPath())).exists();
  }

  private MaterializedRows frozen(boolean local) {
    UDF1<Long, Long> square =
        value -> {
          COMPUTED.incrementAndGet();
          return value * value;
        };
    Dataset<Row> rows =
        spark
            .range(ROWS)
            .select(udf(square, DataTypes.LongType).asNondeterministic().apply(col("id")).as("n"));
    return MaterializedRows.of(rows, new Cluster(false, 2, local, 0), output.toString());
  }

  private static List<Long> values(MaterializedRows frozen) {
    return frozen.rows().sort("n").collectAsList().stream().map(row -> row.getLong(0)).toList();
  }

  private static List<Long> squares() {
    return LongStream.range(0, ROWS).map(n -> n * n).boxed().toList();
  }
}
