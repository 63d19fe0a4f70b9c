package io.lightmill.udfs.draw;

import io.lightmill.pipeline.BatchResult;
import io.lightmill.pipeline.BatchWork;
import io.lightmill.udfs.device.DeviceFailures;
import java.io.Serializable;
import java.util.Map;
import org.apache.spark.SparkContext;
import org.apache.spark.util.LongAccumulator;

/**
 * What all tasks of a run have done on their devices, beside what the manifest says of each image.
 * Spark adds it up; of a task that fails nothing is counted.
 */
public record DrawingCounters(
    LongAccumulator loadNanos,
    LongAccumulator loadedBytes,
    LongAccumulator prompts,
    LongAccumulator cachedPrompts,
    BatchSizes batches,
    LongAccumulator tooLarge)
    implements Serializable {

  private static final double NANOS_PER_SECOND = 1e9;

  /**
   * The sums.
   *
   * @param loadSeconds of loading networks that take turns on the device
   * @param loadedBytes of weight files, loaded in that time
   * @param prompts texts that were to be encoded, negative prompts included
   * @param cachedPrompts those of them whose embeddings were known already
   * @param batches that were drawn, by their number of images
   * @param tooLarge batches that needed more memory than there was
   */
  public record Sums(
      double loadSeconds,
      long loadedBytes,
      long prompts,
      long cachedPrompts,
      Map<Integer, Long> batches,
      long tooLarge) {}

  public static DrawingCounters in(SparkContext spark) {
    BatchSizes batches = new BatchSizes();
    spark.register(batches);
    return new DrawingCounters(
        spark.longAccumulator(),
        spark.longAccumulator(),
        spark.longAccumulator(),
        spark.longAccumulator(),
        batches,
        spark.longAccumulator());
  }

  void add(BatchWork work) {
    loadNanos.add(work.load().toNanos());
    loadedBytes.add(work.loadedBytes());
    prompts.add(work.prompts());
    cachedPrompts.add(work.cachedPrompts());
  }

  /** Counts one attempt at a batch. */
  void add(int images, BatchResult result) {
    if (result.failure().filter(DeviceFailures::outOfMemory).isPresent()) {
      tooLarge.add(1);
    } else if (!result.images().isEmpty()) {
      batches.add(images);
    }
  }

  /** To be called in the driver. */
  public Sums sums() {
    return new Sums(
        loadNanos.sum() / NANOS_PER_SECOND,
        loadedBytes.sum(),
        prompts.sum(),
        cachedPrompts.sum(),
        batches.value(),
        tooLarge.sum());
  }
}
