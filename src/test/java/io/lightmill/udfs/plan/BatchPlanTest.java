package io.lightmill.udfs.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class BatchPlanTest {

  private static final List<BatchPlan.KeyCount> MIXED =
      List.of(
          new BatchPlan.KeyCount("large", 4000, 333),
          new BatchPlan.KeyCount("small", 250, 2001),
          new BatchPlan.KeyCount("wide", 1700, 98),
          new BatchPlan.KeyCount("rare", 9000, 1));

  /** The images' keys and costs, by batch. */
  private static Map<Long, List<BatchPlan.KeyCount>> batches(BatchPlan plan) {
    Map<Long, List<BatchPlan.KeyCount>> batches = new HashMap<>();
    for (BatchPlan.KeyCount key : MIXED) {
      for (long place = 0; place < key.images(); place++) {
        batches.computeIfAbsent(plan.batch(key.batchKey(), place), b -> new ArrayList<>()).add(key);
      }
    }
    return batches;
  }

  @Test
  void batchesHoldOneKeyAndAreFullButForTheLastOfEachKey() {
    Map<Long, List<BatchPlan.KeyCount>> batches = batches(new BatchPlan(MIXED, 4, 8));

    assertThat(batches).hasSize(84 + 501 + 25 + 1);
    assertThat(batches.keySet())
        .containsExactlyInAnyOrderElementsOf(LongStream.range(0, 611).boxed().toList());
    assertThat(batches.values())
        .allSatisfy(batch -> assertThat(batch.stream().distinct()).hasSize(1))
        .filteredOn(batch -> batch.size() < 4)
        .hasSize(4);
    assertThat(BatchPlan.batches(MIXED, 4)).isEqualTo(611);
  }

  @Test
  void ranksRunFromTheDearestToTheCheapest() {
    Map<Long, List<BatchPlan.KeyCount>> batches = batches(new BatchPlan(MIXED, 4, 8));

    assertThat(LongStream.range(0, 611).map(rank -> cost(batches.get(rank))).boxed())
        .isSortedAccordingTo(Collections.reverseOrder());
  }

  @Test
  void dearestPartitionIsWithinATenthOfTheMean() {
    for (int partitions : new int[] {2, 3, 8, 16, 29}) {
      BatchPlan plan = new BatchPlan(MIXED, 4, partitions);
      long[] costs = new long[partitions];
      batches(plan).forEach((rank, batch) -> costs[plan.partition(rank)] += cost(batch));

      double mean = LongStream.of(costs).average().orElseThrow();
      assertThat(LongStream.of(costs).max().orElseThrow()).isLessThanOrEqualTo((long) (1.1 * mean));
    }
  }

  @Test
  void planDoesNotDependOnTheOrderOfTheCounts() {
    List<BatchPlan.KeyCount> shuffled = new ArrayList<>(MIXED);
    Collections.shuffle(shuffled, new Random(1));

    assertThat(batches(new BatchPlan(shuffled, 4, 8)))
        .isEqualTo(batches(new BatchPlan(MIXED, 4, 8)));
  }

  @Test
  void snakeTurnsAtBothEnds() {
    BatchPlan plan = new BatchPlan(MIXED, 1, 3);

    assertThat(LongStream.range(0, 8).mapToInt(plan::partition))
        .containsExactly(0, 1, 2, 2, 1, 0, 0, 1);
  }

  private static long cost(List<BatchPlan.KeyCount> batch) {
    return batch.stream().mapToLong(BatchPlan.KeyCount::imageCost).sum();
  }
}
