package io.lightmill.udfs.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.TestTables;
import io.lightmill.udfs.device.Cluster;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.commons.collections4.ListUtils;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.Test;

class ImagePlanTest {

  private static final int BATCH_SIZE = 4;
  private static final Cluster CLUSTER = new Cluster(false, 2, false, 0);

  /** 150 images of three sizes and two kinds of guidance, and a row in ten that is invalid. */
  private static Dataset<Row> mixedTable() {
    return TestTables.of(
        "id,prompt,width,negative_prompt,true_cfg_scale",
        IntStream.range(0, 150)
            .mapToObj(
                i ->
                    "row%d,prompt %d,%d,%s,2"
                        .formatted(
                            i, i, i % 10 == 0 ? 33 : 32 + 16 * (i % 3), i % 4 == 0 ? "bad" : ""))
            .toArray(String[]::new));
  }

  private static ImagePlan plan(Dataset<Row> table) {
    return ImagePlan.of("prompts.csv", TestTables.planned(table), true);
  }

  /** Rows by partition, in their order. */
  private static List<List<Row>> partitions(Dataset<Row> table, int partitions) {
    ImagePlan plan = plan(table);
    return plan
        .partitioned(plan.batches(BATCH_SIZE, CLUSTER, OptionalInt.of(partitions)))
        .withColumn("task", functions.spark_partition_id())
        .collectAsList()
        .stream()
        .collect(
            Collectors.groupingBy(
                row -> row.<Integer>getAs("task"), TreeMap::new, Collectors.toList()))
        .values()
        .stream()
        .toList();
  }

  /** Image ids by batch: images of one key that follow each other in a partition. */
  private static Set<List<String>> batches(Dataset<Row> table, int partitions) {
    Set<List<String>> batches = new HashSet<>();
    for (List<Row> rows : partitions(table, partitions)) {
      Map<String, List<String>> keys = new TreeMap<>();
      rows.stream()
          .filter(row -> row.getAs("batch_key") != null)
          .forEach(
              row ->
                  keys.computeIfAbsent(row.getAs("batch_key"), key -> new ArrayList<>())
                      .add(row.getAs("image_id")));
      keys.values().forEach(ids -> batches.addAll(ListUtils.partition(ids, BATCH_SIZE)));
    }
    return batches;
  }

  @Test
  void batchesAreTheSameHoweverTheTableArrivesAndIsPartitioned() {
    Set<List<String>> expected = batches(mixedTable().repartition(1), 5);

    assertThat(expected.stream().mapToInt(List::size).sum()).isEqualTo(135);
    assertThat(batches(mixedTable().repartition(2), 3)).isEqualTo(expected);
    assertThat(batches(mixedTable().orderBy(functions.desc("id")).repartition(7), 1))
        .isEqualTo(expected);
  }

  @Test
  void partitionsHoldTheRowsThatAreNotDrawnAndThenTheDearestImages() {
    List<List<Row>> partitions = partitions(mixedTable(), 6);

    assertThat(partitions).hasSize(6);
    assertThat(partitions.stream().mapToInt(List::size).sum()).isEqualTo(150);
    for (List<Row> rows : partitions) {
      assertThat(rows.stream().map(row -> row.<Long>getAs("cost")).toList())
          .isSortedAccordingTo(Comparator.nullsFirst(Comparator.reverseOrder()));
      assertThat(rows.stream().filter(row -> row.getAs("cost") != null).count())
          .isBetween(16L, 32L);
    }
  }

  @Test
  void rowsThatAreNotDrawnStayWhereTheyAre() {
    ImagePlan plan = plan(mixedTable());
    BatchPlan batches = plan.batches(BATCH_SIZE, CLUSTER, OptionalInt.of(6));
    List<Row> drawn = plan.partitioned(batches).filter("batch_key is not null").collectAsList();

    Dataset<Row> apart = plan.drawnApart(batches);

    assertThat(apart.javaRDD().getNumPartitions())
        .isEqualTo(6 + plan.images().javaRDD().getNumPartitions());
    List<Row> rows = apart.collectAsList();
    assertThat(rows).hasSize(150).startsWith(drawn.toArray(Row[]::new));
    assertThat(rows.subList(135, 150)).allMatch(row -> row.getAs("batch_key") == null);
  }

  @Test
  void countsImagesToDrawAndRowsInAll() {
    ImagePlan plan = plan(mixedTable());

    assertThat(plan.requested()).isEqualTo(150);
    assertThat(plan.toDraw()).isEqualTo(135);
    assertThat(plan.keys()).hasSize(6);
  }

  @Test
  void countsNegativePromptsThatChangeNothing() {
    ImagePlan plan =
        plan(
            TestTables.of(
                "id,prompt,negative_prompt,true_cfg_scale,num_images_per_prompt,width",
                "none,a,,,,",
                "blank,a, ,,,",
                "idle,a,blurry,,2,",
                "below,a,blurry,0.5,,",
                "guided,a,blurry,4,,",
                "invalid,a,blurry,,,33"));

    assertThat(plan.idleNegativePrompts()).isEqualTo(3);
  }

  @Test
  void rowsOfTheSameImageAreDrawnOnceInTheSameBatch() {
    Dataset<Row> table = TestTables.of("id,prompt,seed", "a,mug,1", "b,jug,1", "c,mug,1");
    ImagePlan plan = plan(table);

    assertThat(plan.toDraw()).isEqualTo(2);
    assertThat(partitions(table, 2)).filteredOn(rows -> rows.size() > 1).isNotEmpty();
    assertThat(batches(table, 1)).hasSize(1).allSatisfy(b -> assertThat(b).hasSize(3));
  }

  @Test
  void duplicateIdsAreRefusedAndCounted() {
    assertThatThrownBy(
            () ->
                plan(
                    TestTables.of(
                        "id,prompt,num_images_per_prompt",
                        "a,1,2",
                        "b,2,",
                        "a,3,",
                        "c,4,2",
                        "b,5,",
                        "a,6,",
                        ",7,",
                        ",8,")))
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.ID_DUPLICATE))
        .hasMessageContaining("'a' (3 rows), 'b' (2 rows);");
  }

  @Test
  void tableWithoutRowsIsRefused() {
    assertThatThrownBy(() -> plan(TestTables.of("id,prompt")))
        .isInstanceOfSatisfying(
            LightmillException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.INPUT_INVALID))
        .hasMessageContaining("no rows");
  }

  private static ImagePlan named(String... lines) {
    Dataset<Row> planned =
        TestTables.planned(TestTables.of("id,prompt", lines))
            .withColumn(
                PlannedImages.KEY,
                functions.concat(
                    functions.lit("images/"), functions.col("id"), functions.lit(".png")));
    return ImagePlan.of("t", planned, true);
  }

  @Test
  void namesOfImagesThatDifferInCaseOnlyAreRefused() {
    assertThatThrownBy(() -> named("SKU-a,mug", "sku-A,jug", "Ä,cup", "ä,cap", "b,pot"))
        .isInstanceOfSatisfying(
            LightmillException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.CONFIGURATION_INVALID))
        .hasMessageContainingAll(
            "one name (case aside)",
            "images/SKU-a.png'",
            "images/sku-A.png'",
            "images/Ä.png'",
            "images/ä.png'");
    assertThat(named("a,mug", "b,mug", "c,jug").requested()).isEqualTo(3);
  }
}
