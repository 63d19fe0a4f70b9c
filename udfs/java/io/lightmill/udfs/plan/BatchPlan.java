package io.lightmill.udfs.plan;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The batch and the partition of every image, computed from the number of images of each batch key.
 * Within a key, images are ordered by id and cut into batches, so a batch holds the same images in
 * whatever order the table is read.
 *
 * <p>Batches are ranked from the most to the least expensive and assigned to partitions in snake
 * order: forward, then backward, then forward. All full batches of a key cost the same and have
 * consecutive ranks, so the size of the plan depends on the number of keys and not of batches.
 */
public final class BatchPlan implements Serializable {

  private final int batchSize;
  private final int partitions;
  private final Map<String, Run> runs = new HashMap<>();

  /**
   * Images of one batch key.
   *
   * @param imageCost by {@link ImageCost}
   * @param images distinct ones, at least 1
   */
  record KeyCount(String batchKey, long imageCost, long images) {}

  /** The ranks of a key's batches: the full ones from {@code first}, and the rest. */
  private record Run(long first, long full, long rest) implements Serializable {}

  private record Batches(String batchKey, long cost, long count, boolean full) {}

  BatchPlan(List<KeyCount> keys, int batchSize, int partitions) {
    this.batchSize = batchSize;
    this.partitions = partitions;
    List<Batches> all = new ArrayList<>();
    for (KeyCount key : keys) {
      long full = key.images() / batchSize;
      long rest = key.images() % batchSize;
      all.add(new Batches(key.batchKey(), key.imageCost() * batchSize, full, true));
      all.add(new Batches(key.batchKey(), key.imageCost() * rest, rest > 0 ? 1 : 0, false));
    }
    all.sort(
        Comparator.comparingLong(Batches::cost)
            .reversed()
            .thenComparing(Batches::batchKey)
            .thenComparing(Batches::full));
    long rank = 0;
    for (Batches batches : all) {
      long first = rank;
      runs.merge(
          batches.batchKey(),
          batches.full() ? new Run(first, batches.count(), 0) : new Run(0, 0, first),
          (a, b) -> new Run(a.first + b.first, a.full + b.full, a.rest + b.rest));
      rank += batches.count();
    }
  }

  /** Number of batches. */
  static long batches(List<KeyCount> keys, int batchSize) {
    return keys.stream().mapToLong(key -> (key.images() + batchSize - 1) / batchSize).sum();
  }

  int partitions() {
    return partitions;
  }

  /**
   * The number of an image's batch: its rank.
   *
   * @param place of the image among those of its key, from 0
   */
  long batch(String batchKey, long place) {
    Run run = runs.get(batchKey);
    long batch = place / batchSize;
    return batch < run.full ? run.first + batch : run.rest;
  }

  /** The partition of a batch. */
  int partition(long batch) {
    int place = (int) (batch % partitions);
    boolean forward = batch / partitions % 2 == 0;
    return forward ? place : partitions - 1 - place;
  }
}
