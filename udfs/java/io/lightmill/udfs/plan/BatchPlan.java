package io.lightmill.udfs.plan;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.stream.IntStream;

/**
 * The partition of every image, computed from the number of images of each batch key and slice. A
 * slice holds the images whose ids begin with the same digits; ids are hashes, so slices of a key
 * are of about the same size, and nearly all of a small table hold one image.
 *
 * <p>The images of a key are ordered by id and cut into batches. Batches are ranked from the most
 * to the least expensive and assigned to partitions in snake order: forward, then backward, then
 * forward, over a list that names each partition as often as its relative size says. All full
 * batches of a key cost the same and have consecutive ranks. A slice belongs to the batch of its
 * first image, so no image needs a number of its own, and no task has to see all images of a key.
 * The size of the plan depends on the number of keys and slices.
 */
public final class BatchPlan implements Serializable {

  /** Leading hexadecimal digits of an image id that name its slice. */
  static final int SLICE_DIGITS = 4;

  private final int batchSize;
  private final int partitions;
  private final int[] turns;
  private final Map<String, Slices> slices = new HashMap<>();

  /**
   * Images of one batch key.
   *
   * @param imageCost by {@link ImageCost}
   * @param slices number of distinct images by slice, at least 1
   */
  record KeyCount(String batchKey, long imageCost, SortedMap<Integer, Long> slices) {

    long images() {
      return slices.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  /** The partition of each slice of a key, as arrays: a large table has 65,536 slices. */
  private static final class Slices implements Serializable {

    private final int[] numbers;
    private final int[] partitions;

    Slices(int[] numbers, int[] partitions) {
      this.numbers = numbers;
      this.partitions = partitions;
    }
  }

  /** The ranks of a key's batches: the full ones from {@code first}, and the rest. */
  private record Run(long first, long full, long rest) {

    long batch(long place, int batchSize) {
      long batch = place / batchSize;
      return batch < full ? first + batch : rest;
    }
  }

  private record Batches(String batchKey, long cost, long count, boolean full) {}

  /**
   * @param sizes of the partitions relative to each other, at least 1
   */
  BatchPlan(List<KeyCount> keys, int batchSize, int[] sizes) {
    this.batchSize = batchSize;
    this.partitions = sizes.length;
    this.turns = turns(sizes);
    Map<String, Run> runs = runs(keys, batchSize);
    for (KeyCount key : keys) {
      slices.put(key.batchKey(), assigned(key.slices(), runs.get(key.batchKey())));
    }
  }

  /** Each partition once, then each of those that are larger, and so on. */
  private static int[] turns(int[] sizes) {
    int largest = IntStream.of(sizes).max().orElseThrow();
    return IntStream.range(0, largest)
        .flatMap(turn -> IntStream.range(0, sizes.length).filter(i -> sizes[i] > turn))
        .toArray();
  }

  private static Map<String, Run> runs(List<KeyCount> keys, int batchSize) {
    List<Batches> all = new ArrayList<>();
    for (KeyCount key : keys) {
      long images = key.images();
      long full = images / batchSize;
      long rest = images % batchSize;
      all.add(new Batches(key.batchKey(), key.imageCost() * batchSize, full, true));
      all.add(new Batches(key.batchKey(), key.imageCost() * rest, rest > 0 ? 1 : 0, false));
    }
    all.sort(
        Comparator.comparingLong(Batches::cost)
            .reversed()
            .thenComparing(Batches::batchKey)
            .thenComparing(Batches::full));
    Map<String, Run> runs = new HashMap<>();
    long rank = 0;
    for (Batches batches : all) {
      long first = rank;
      runs.merge(
          batches.batchKey(),
          batches.full() ? new Run(first, batches.count(), 0) : new Run(0, 0, first),
          (a, b) -> new Run(a.first + b.first, a.full + b.full, a.rest + b.rest));
      rank += batches.count();
    }
    return runs;
  }

  private Slices assigned(SortedMap<Integer, Long> counts, Run run) {
    int[] numbers = new int[counts.size()];
    int[] assigned = new int[counts.size()];
    int index = 0;
    long place = 0;
    for (Map.Entry<Integer, Long> slice : counts.entrySet()) {
      numbers[index] = slice.getKey();
      assigned[index++] = partition(run.batch(place, batchSize));
      place += slice.getValue();
    }
    return new Slices(numbers, assigned);
  }

  /** Number of batches. */
  static long batches(List<KeyCount> keys, int batchSize) {
    return keys.stream().mapToLong(key -> (key.images() + batchSize - 1) / batchSize).sum();
  }

  public int partitions() {
    return partitions;
  }

  /** The partition of an image that is to be drawn. */
  int partition(String batchKey, String imageId) {
    Slices key = slices.get(batchKey);
    return key.partitions[Arrays.binarySearch(key.numbers, slice(imageId))];
  }

  /** The slice of an image. */
  static int slice(String imageId) {
    return Integer.parseInt(imageId, 0, SLICE_DIGITS, 16);
  }

  /** The partition of a batch. */
  private int partition(long batch) {
    int place = (int) (batch % turns.length);
    boolean forward = batch / turns.length % 2 == 0;
    return turns[forward ? place : turns.length - 1 - place];
  }
}
