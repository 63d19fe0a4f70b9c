package io.lightmill.udfs.draw;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.plan.PlannedImages;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

class BatchesTest {

  private static final StructType SCHEMA =
      new StructType()
          .add(PlannedImages.BATCH_KEY, DataTypes.StringType)
          .add("image_id", DataTypes.StringType);

  /** The images of each batch; a row is given as key and image, such as {@code a1}. */
  private static List<String> batches(int size, String... rows) {
    List<String> batches = new ArrayList<>();
    new Batches(Arrays.stream(rows).map(BatchesTest::row).iterator(), size)
        .forEachRemaining(
            batch -> batches.add(String.join(" ", batch.stream().map(BatchesTest::name).toList())));
    return batches;
  }

  private static Row row(String name) {
    String key = name.startsWith("-") ? null : name.substring(0, 1);
    return new GenericRowWithSchema(new Object[] {key, name.substring(1)}, SCHEMA);
  }

  private static String name(Row row) {
    return (row.isNullAt(0) ? "-" : row.getString(0)) + row.getString(1);
  }

  @Test
  void batchesAreFullButForTheLastOfAKey() {
    assertThat(batches(2, "a1", "a2", "a3", "b1", "b2")).containsExactly("a1 a2", "a3", "b1 b2");
    assertThat(batches(1, "a1", "a2")).containsExactly("a1", "a2");
    assertThat(batches(2)).isEmpty();
  }

  @Test
  void rowsOfAnImageShareABatchAndCountOnce() {
    assertThat(batches(2, "a1", "a2", "a2", "a2", "a3")).containsExactly("a1 a2 a2 a2", "a3");
    assertThat(batches(1, "a1", "a1", "b1")).containsExactly("a1 a1", "b1");
  }

  @Test
  void rowsThatAreNotDrawnStandAlone() {
    assertThat(batches(4, "-1", "-1", "-2", "a1", "a2")).containsExactly("-1", "-1", "-2", "a1 a2");
  }
}
