package io.lightmill.udfs.draw;

import io.lightmill.pipeline.BatchWork;
import java.io.Serializable;
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
    LongAccumulator cachedPrompts)
    implements Serializable {

  private static final double NANOS_PER_SECOND = 1e9;

  /**
   * The sums.
   *
   * @param loadSeconds of loading networks that take turns on the device
   * @param loadedBytes of weight files, loaded in that time
   * @param prompts texts that were to be encoded, negative prompts included
   * @param cachedPrompts those of them whose embeddings were known already
   */
  public record Sums(double loadSeconds, long loadedBytes, long prompts, long cachedPrompts) {}

  public static DrawingCounters in(SparkContext spark) {
    return new DrawingCounters(
        spark.longAccumulator(),
        spark.longAccumulator(),
        spark.longAccumulator(),
        spark.longAccumulator());
  }

  void add(BatchWork work) {
    loadNanos.add(work.load().toNanos());
    loadedBytes.add(work.loadedBytes());
    prompts.add(work.prompts());
    cachedPrompts.add(work.cachedPrompts());
  }

  /** To be called in the driver. */
  public Sums sums() {
    return new Sums(
        loadNanos.sum() / NANOS_PER_SECOND, loadedBytes.sum(), prompts.sum(), cachedPrompts.sum());
  }
}
