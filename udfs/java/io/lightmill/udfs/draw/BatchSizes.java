package io.lightmill.udfs.draw;

import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.util.AccumulatorV2;

/** How many batches of each size the tasks of a run have drawn. */
final class BatchSizes extends AccumulatorV2<Integer, Map<Integer, Long>> {

  private static final long serialVersionUID = 1L;

  private final TreeMap<Integer, Long> batches = new TreeMap<>();

  @Override
  public synchronized boolean isZero() {
    return batches.isEmpty();
  }

  @Override
  public synchronized BatchSizes copy() {
    BatchSizes copy = new BatchSizes();
    copy.batches.putAll(batches);
    return copy;
  }

  @Override
  public synchronized void reset() {
    batches.clear();
  }

  @Override
  public synchronized void add(Integer images) {
    batches.merge(images, 1L, Long::sum);
  }

  @Override
  public synchronized void merge(AccumulatorV2<Integer, Map<Integer, Long>> other) {
    other.value().forEach((images, count) -> batches.merge(images, count, Long::sum));
  }

  @Override
  public synchronized Map<Integer, Long> value() {
    return new TreeMap<>(batches);
  }
}
