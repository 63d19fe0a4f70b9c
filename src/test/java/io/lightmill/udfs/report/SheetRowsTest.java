package io.lightmill.udfs.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;

class SheetRowsTest {

  @Test
  void numbersAreOrderedAsNumbersAndComeFirst() {
    assertThat(ids(SheetRows.of(shuffled("10", "9", "b", "-1", "a", "007"), 6, 200)))
        .containsExactly("-1", "007", "9", "10", "a", "b");
  }

  @Test
  void ofManyRowsSomeAreShownAtEvenDistances() {
    String[] all = IntStream.range(0, 1001).mapToObj(Integer::toString).toArray(String[]::new);
    assertThat(ids(SheetRows.of(shuffled(all).repartition(7), 1001, 5)))
        .containsExactly("0", "250", "500", "750", "1000");
  }

  @Test
  void ofVeryManyRowsASampleIsSorted() {
    String[] some = IntStream.range(0, 2000).mapToObj(Integer::toString).toArray(String[]::new);

    List<String> shown = ids(SheetRows.of(shuffled(some).repartition(7), 1_000_000, 5));

    assertThat(shown).hasSize(5).isSubsetOf(some);
    assertThat(shown.stream().map(Integer::valueOf).toList()).isSorted();
  }

  @Test
  void asManyAsMayBeShownAreShown() {
    assertThat(ids(SheetRows.of(shuffled("1", "2", "3"), 3, 3))).containsExactly("1", "2", "3");
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
