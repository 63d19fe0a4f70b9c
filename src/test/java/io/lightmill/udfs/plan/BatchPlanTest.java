package io.lightmill.udfs.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.lightmill.udfs.plan.BatchPlan.KeyCount;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchPlanTest {

  private static final int SLICES = 65_536;

  private static final List<KeyCount> MIXED =
      List.of(
          single("large", 4000, 333),
          single("small", 250, 2001),
          single("wide", 1700, 98),
          single("rare", 9000, 1));

  /** A key whose slices hold one image each, as far apart as can be. */
  private static KeyCount single(String key, long cost, int images) {
    SortedMap<Integer, Long> slices = new TreeMap<>();
    IntStream.range(0, images).forEach(image -> slices.put(image * (SLICES / images), 1L));
    return new KeyCount(key, cost, slices);
  }

  private static int[] equal(int partitions) {
    return IntStream.generate(() -> 1).limit(partitions).toArray();
  }

  private static String imageId(int slice) {
    return "%04x".formatted(slice) + "0".repeat(60);
  }

  /** Partitions by key, in the order of the images. */
  private static Map<String, List<Integer>> partitions(BatchPlan plan, List<KeyCount> keys) {
    Map<String, List<Integer>> partitions = new HashMap<>();
    for (KeyCount key : keys) {
      partitions.put(
          key.batchKey(),
          key.slices().keySet().stream()
              .map(slice -> plan.partition(key.batchKey(), imageId(slice)))
              .toList());
    }
    return partitions;
  }

  @Test
  void imagesOfABatchAreInOnePartition() {
    partitions(new BatchPlan(MIXED, 4, equal(8)), MIXED)
        .forEach(
            (key, partitions) -> {
              for (int image = 0; image < partitions.size(); image++) {
                assertThat(partitions.get(image)).as(key).isEqualTo(partitions.get(image / 4 * 4));
              }
            });
  }

  @Test
  void countsBatches() {
    assertThat(BatchPlan.batches(MIXED, 4)).isEqualTo(84 + 501 + 25 + 1);
  }

  @Test
  void dearestPartitionIsWithinATenthOfTheMean() {
    for (int partitions : new int[] {2, 3, 8, 16, 29}) {
      BatchPlan plan = new BatchPlan(MIXED, 4, equal(partitions));
      long[] costs = new long[partitions];
      for (KeyCount key : MIXED) {
        partitions(plan, List.of(key))
            .get(key.batchKey())
            .forEach(partition -> costs[partition] += key.imageCost());
      }

      double mean = LongStream.of(costs).average().orElseThrow();
      assertThat(LongStream.of(costs).max().orElseThrow()).isLessThanOrEqualTo((long) (1.1 * mean));
    }
  }

  /** With several images in a slice, too: a million images of one key on a thousand partitions. */
  @Test
  void noPartitionOfALargeTableHoldsMuchMoreThanTheMean() {
    int images = 1_000_000;
    int partitions = 1_000;
    SortedMap<Integer, Long> slices = new TreeMap<>();
    new Random(1).ints(images, 0, SLICES).forEach(slice -> slices.merge(slice, 1L, Long::sum));
    BatchPlan plan = new BatchPlan(List.of(new KeyCount("key", 1, slices)), 8, equal(partitions));
    long[] counts = new long[partitions];
    slices.forEach((slice, count) -> counts[plan.partition("key", imageId(slice))] += count);

    assertThat(LongStream.of(counts).sum()).isEqualTo(images);
    assertThat(LongStream.of(counts).max().orElseThrow()).isLessThan(2L * images / partitions);
  }

  @Test
  void planDoesNotDependOnTheOrderOfTheCounts() {
    List<KeyCount> shuffled = new ArrayList<>(MIXED);
    Collections.shuffle(shuffled, new Random(1));

    assertThat(partitions(new BatchPlan(shuffled, 4, equal(8)), MIXED))
        .isEqualTo(partitions(new BatchPlan(MIXED, 4, equal(8)), MIXED));
  }

  @Test
  void snakeTurnsAtBothEnds() {
    KeyCount key = single("key", 1, 8);

    assertThat(partitions(new BatchPlan(List.of(key), 1, equal(3)), List.of(key)).get("key"))
        .containsExactly(0, 1, 2, 2, 1, 0, 0, 1);
  }

  @ParameterizedTest
  @CsvSource({"5,2", "3,1", "1,1"})
  void partitionsHaveTheirSizes(int first, int second) {
    int[] sizes = {first, second, 1};
    KeyCount key = single("key", 1, 10 * (first + second + 1));

    assertThat(
            partitions(new BatchPlan(List.of(key), 1, sizes), List.of(key)).get("key").stream()
                .collect(Collectors.groupingBy(partition -> partition, Collectors.counting())))
        .isEqualTo(Map.of(0, 10L * first, 1, 10L * second, 2, 10L));
  }

  /** Of batches that cost the same, the smallest partition has the fewest at any number. */
  @Test
  void batchesThatAreLeftOverGoToTheLargerPartitions() {
    int[] sizes = {3, 3, 2, 2, 1, 1};
    for (int batches = 1; batches <= 100; batches++) {
      KeyCount key = single("key", 1, batches);
      int[] counts = new int[sizes.length];
      partitions(new BatchPlan(List.of(key), 1, sizes), List.of(key))
          .get("key")
          .forEach(partition -> counts[partition]++);

      for (int i = 0; i < sizes.length; i++) {
        assertThat(counts[i])
            .as("partition %d of %d batches", i, batches)
            .isCloseTo(Math.round(batches * sizes[i] / 12f), within(2));
        assertThat(counts[5]).isLessThanOrEqualTo(sizes[i] > 1 ? counts[i] : counts[i] + 1);
      }
    }
  }

  /** The dearest key begins at the first partition; the cheaper one goes on where it ends. */
  @Test
  void dearBatchesComeFirst() {
    List<KeyCount> keys = List.of(single("cheap", 1, 2), single("dear", 9, 2));

    assertThat(partitions(new BatchPlan(keys, 1, equal(4)), keys))
        .isEqualTo(Map.of("dear", List.of(0, 1), "cheap", List.of(2, 3)));
  }
}
