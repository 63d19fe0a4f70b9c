package io.lightmill.udfs.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.udfs.ImageStatus;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.Test;

class PageRowsTest {

  @Test
  void numbersAreOrderedAsNumbersAndComeFirst() {
    PageRows rows = PageRows.of(shuffled("10", "9", "b", "-1", "a", "007"), generated(6));

    assertThat(ids(rows.rows())).containsExactly("-1", "007", "9", "10", "a", "b");
  }

  @Test
  void theContactSheetHasSomeAtEvenDistances() {
    String[] all = IntStream.range(0, 1001).mapToObj(Integer::toString).toArray(String[]::new);

    assertThat(ids(PageRows.of(shuffled(all).repartition(7), generated(1001)).sheet(5)))
        .containsExactly("0", "250", "500", "750", "1000");
  }

  @Test
  void ofVeryManyRowsASampleIsShownInOrderAndProblemsHaveTheirOwnShare() {
    List<Row> some = new ArrayList<>();
    for (int i = 0; i < 2000; i++) {
      some.add(TestManifest.generated(Integer.toString(i), "%07x.png".formatted(i)));
      if (i % 10 == 0) {
        some.add(TestManifest.refused("bad" + i, "failed", "ENGINE_FAILED", "no"));
      }
    }
    Dataset<Row> table =
        TestManifest.of(some)
            .withColumn(
                "image_id",
                functions.when(
                    functions.col("path").isNotNull(),
                    functions.left(functions.col("path"), functions.lit(7))));

    PageRows rows =
        PageRows.of(
            table.repartition(7),
            Map.of(ImageStatus.GENERATED, 99_999L, ImageStatus.FAILED, 1_999L));

    List<Integer> shown =
        rows.rows().stream()
            .filter(row -> row.getAs("path") != null)
            .map(row -> Integer.valueOf(row.getAs("id")))
            .toList();
    PageThumbnails thumbnails = PageThumbnails.of(101_998);
    assertThat(shown)
        .isSorted()
        .containsExactlyElementsOf(
            IntStream.range(0, 2000)
                .filter(i -> thumbnails.chosen("%07x".formatted(i)))
                .boxed()
                .toList());
    assertThat(shown).hasSizeBetween(150, 250);
    assertThat(rows.rows()).hasSize(shown.size() + 200); // fewer problems than a page may have
  }

  @Test
  void pendingRowsAreNotOnTheContactSheet() {
    Dataset<Row> table =
        TestManifest.of(
            List.of(
                TestManifest.generated("1", "1.png"),
                TestManifest.refused("2", "pending", null, null)));

    PageRows rows = PageRows.of(table, generated(2));

    assertThat(ids(rows.rows())).containsExactly("1", "2");
    assertThat(ids(rows.sheet(10))).containsExactly("1");
  }

  @Test
  void longTextsAreCutAndBytesOfTheTableAreLeftOut() {
    Dataset<Row> table =
        TestManifest.of(List.of(TestManifest.generated("1", "1.png")))
            .withColumn("prompt", functions.expr("repeat('x', 2000000)"))
            .withColumn("sku", functions.expr("repeat('y', 2000000)"))
            .withColumn("photo", functions.expr("CAST('z' AS BINARY)"))
            .withColumn("a.b", functions.lit(5));

    PageRows rows = PageRows.of(table, generated(1));

    Row row = rows.rows().get(0);
    assertThat(row.<String>getAs("prompt")).hasSize(rows.textLimit() + 1);
    assertThat(row.<String>getAs("sku")).hasSize(rows.passthroughLimit() + 1);
    assertThat(rows.passthrough()).containsExactly("sku", "a.b");
  }

  private static Map<ImageStatus, Long> generated(long rows) {
    return Map.of(ImageStatus.GENERATED, rows);
  }

  private static Dataset<Row> shuffled(String... ids) {
    List<Row> rows = Stream.of(ids).map(id -> TestManifest.generated(id, id + ".png")).toList();
    List<Row> shuffled = new ArrayList<>(rows);
    Collections.shuffle(shuffled, new Random(1));
    return TestManifest.of(shuffled);
  }

  private static List<String> ids(List<Row> rows) {
    return rows.stream().map(row -> row.<String>getAs("id")).toList();
  }
}
