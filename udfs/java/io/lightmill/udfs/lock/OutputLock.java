package io.lightmill.udfs.lock;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.store.ImageStore;
import java.time.Clock;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;

/** A run's claim to its output while it goes on. A run that loses it is cancelled. */
public final class OutputLock implements AutoCloseable {

  private final String output;
  private final String tag;
  private final SparkContext spark;
  private final RunLock lock;
  private final LockRenewal renewal;

  private OutputLock(SparkSession session, String output, String runId, RunLock lock) {
    this.output = output;
    this.tag = "lightmill-" + runId;
    this.spark = session.sparkContext();
    this.lock = lock;
    spark.addJobTag(tag);
    this.renewal = new LockRenewal(lock, () -> spark.cancelJobsWithTag(tag));
  }

  /**
   * Claims the output.
   *
   * @throws LightmillException with {@code OUTPUT_IN_USE} if another run has it
   */
  public static OutputLock of(SparkSession spark, String output, String runId, Clock clock) {
    ImageStore store =
        ImageStore.open(output, spark.sparkContext().hadoopConfiguration());
    RunLock lock = RunLock.take(store, output, runId, clock);
    return new OutputLock(spark, output, runId, lock);
  }

  /**
   * Makes sure that the claim stands.
   *
   * @throws LightmillException with {@code OUTPUT_IN_USE} if it does not
   */
  public void require() {
    if (!lock.renew()) {
      throw takenOver();
    }
  }

  /**
   * Says why a run was cancelled, if it was since it lost its claim.
   *
   * @throws LightmillException with {@code OUTPUT_IN_USE} if it did
   */
  public void explain() {
    if (lock.lost()) {
      throw takenOver();
    }
  }

  private LightmillException takenOver() {
    return new LightmillException(
        ErrorCode.OUTPUT_IN_USE,
        "output '%s' was taken over by another run, since this one did not renew its lock in time; its images are kept, and a rerun will find them"
            .formatted(output));
  }

  @Override
  public void close() {
    spark.removeJobTag(tag);
    renewal.close();
  }
}
