package io.lightmill.udfs.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.TestTables;
import io.lightmill.udfs.device.Cluster;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.Test;

class ImagePlanTest {

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
    return ImagePlan.of("prompts.csv", ImagePlan.placed(TestTables.planned(table)), true);
  }

  /** Image ids by batch, in the order in which they are partitioned. */
  private static Map<Long, List<String>> batches(Dataset<Row> table, int partitions) {
    ImagePlan plan = plan(table);
    Map<Long, List<String>> batches = new TreeMap<>();
    plan.partitioned(plan.batches(4, CLUSTER, OptionalInt.of(partitions)))
        .filter("batch is not null")
        .collectAsList()
        .forEach(
            row ->
                batches.merge(
                    row.getAs(ImagePlan.BATCH),
                    List.of(row.<String>getAs("image_id")),
                    (a, b) -> Stream.concat(a.stream(), b.stream()).toList()));
    return batches;
  }

  @Test
  void batchesAreTheSameHoweverTheTableArrivesAndIsPartitioned() {
    Map<Long, List<String>> expected = batches(mixedTable().repartition(1), 5);

    assertThat(expected.values().stream().mapToInt(List::size).sum()).isEqualTo(135);
    assertThat(batches(mixedTable().repartition(2), 3)).isEqualTo(expected);
    assertThat(batches(mixedTable().orderBy(functions.desc("id")).repartition(7), 1))
        .isEqualTo(expected);
  }

  @Test
  void partitionsHoldWholeBatchesOneAfterTheOther() {
    ImagePlan plan = plan(mixedTable());
    List<Row> partitioned =
        plan.partitioned(plan.batches(4, CLUSTER, OptionalInt.of(6)))
            .withColumn("task", functions.spark_partition_id())
            .collectAsList();

    Map<Long, Integer> tasks = new HashMap<>();
    Set<Long> finished = new HashSet<>();
    Long current = null;
    for (Row row : partitioned) {
      Long batch = row.getAs(ImagePlan.BATCH);
      if (batch != null && !batch.equals(current)) {
        assertThat(finished.add(batch)).as("batch %d comes in one piece", batch).isTrue();
        current = batch;
      }
      if (batch != null) {
        assertThat(tasks.merge(batch, row.<Integer>getAs("task"), (a, b) -> a.equals(b) ? a : -1))
            .isNotEqualTo(-1);
      }
    }
    assertThat(partitioned).hasSize(150);
    assertThat(new HashSet<>(tasks.values())).hasSize(6);
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
    assertThat(batches(table, 1).values()).hasSize(1).allSatisfy(b -> assertThat(b).hasSize(3));
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
                functions.concat(functions.lit("images/"), functions.col("id"), functions.lit(".png")));
    return ImagePlan.of("t", ImagePlan.placed(planned), true);
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
