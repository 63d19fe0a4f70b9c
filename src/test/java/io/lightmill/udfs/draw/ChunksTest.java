package io.lightmill.udfs.draw;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.plan.PlannedImages;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;

class ChunksTest {

  private static final StructType SCHEMA =
      new StructType()
          .add(PlannedImages.BATCH_KEY, DataTypes.StringType)
          .add("image_id", DataTypes.StringType)
          .add("lora", DataTypes.StringType);

  /** Batches of one size in chunks of another. */
  private record Fixed(int size, int most) implements Chunks.Sizes {

    @Override
    public int batch(String batchKey, int ahead) {
      return size;
    }

    @Override
    public int chunk(Row first) {
      return most;
    }
  }

  /** The images of each batch; a row is given as key and image, such as {@code a1}. */
  private static List<String> batches(int size, String... rows) {
    return chunks(new Fixed(size, Batching.RESIDENT), rows);
  }

  /** The images of each batch, with bars between the batches of a chunk. */
  private static List<String> chunks(Chunks.Sizes sizes, String... rows) {
    List<String> chunks = new ArrayList<>();
    new Chunks(Arrays.stream(rows).map(ChunksTest::row).iterator(), sizes)
        .forEachRemaining(
            chunk ->
                chunks.add(
                    chunk.stream()
                        .map(
                            batch ->
                                batch.stream()
                                    .map(ChunksTest::name)
                                    .collect(Collectors.joining(" ")))
                        .collect(Collectors.joining(" | "))));
    return chunks;
  }

  private static Row row(String name) {
    String key = name.startsWith("-") ? null : name.substring(0, 1);
    return new GenericRowWithSchema(
        new Object[] {key, name.substring(1), "" + Character.isUpperCase(name.charAt(0))}, SCHEMA);
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

  @Test
  void batchesOfTheSameAdaptersAreAChunk() {
    assertThat(chunks(new Fixed(2, 5), "a1", "a2", "a3", "b4", "b5", "b6", "C7", "C8", "d9"))
        .containsExactly("a1 a2 | a3 | b4 b5", "b6", "C7 C8", "d9");
    assertThat(chunks(new Fixed(1, 2), "-1", "a1", "a2", "a2", "a3"))
        .containsExactly("-1", "a1 | a2 a2", "a3");
    assertThat(chunks(new Fixed(3, 1), "a1", "a2")).containsExactly("a1", "a2");
  }

  /** The batches of a chunk grow although none of them is drawn yet. */
  @Test
  void sizesAreDecidedWhenTheChunkBeforeIsDrawn() {
    List<String> asked = new ArrayList<>();
    Chunks.Sizes growing =
        new Chunks.Sizes() {
          @Override
          public int batch(String batchKey, int ahead) {
            asked.add(batchKey + ahead);
            return 1 << ahead;
          }

          @Override
          public int chunk(Row first) {
            return 4;
          }
        };

    assertThat(chunks(growing, "a1", "a2", "a3", "a4", "a5", "b1", "a6"))
        .containsExactly("a1 | a2 a3 | a4", "a5 | b1 | a6");
    assertThat(asked).containsExactly("a0", "a1", "a2", "a0", "b0", "a1");
  }
}
