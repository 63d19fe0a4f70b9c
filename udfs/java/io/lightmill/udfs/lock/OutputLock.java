package io.lightmill.udfs.lock;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.store.ImageStore;
import java.time.Clock;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;

/** Gives a run exclusive use of its output. A run that loses the lock is cancelled. */
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
   * Locks the output.
   *
   * @throws LightmillException with {@code OUTPUT_IN_USE} if another run holds the lock
   */
  public static OutputLock of(SparkSession spark, String output, String runId, Clock clock) {
    ImageStore store = ImageStore.open(output, spark.sparkContext().hadoopConfiguration());
    RunLock lock = RunLock.take(store, output, runId, clock);
    return new OutputLock(spark, output, runId, lock);
  }

  /**
   * Renews the lock and checks that this run still holds it.
   *
   * @throws LightmillException with {@code OUTPUT_IN_USE} if it does not
   */
  public void require() {
    if (!lock.renew()) {
      throw takenOver();
    }
  }

  /**
   * Explains the failure of a run that was cancelled since it lost its lock or could not renew it.
   *
   * @throws LightmillException with {@code OUTPUT_IN_USE} if another run has taken over the lock,
   *     with {@code STORE_FAILED} if it expired and the failure has no other reason
   */
  public void explain(Exception failure) {
    if (lock.lost()) {
      throw takenOver();
    }
    if (!lock.holds()
        && ExceptionUtils.throwableOfType(failure, LightmillException.class) == null) {
      throw new LightmillException(
          ErrorCode.STORE_FAILED,
          "the run was cancelled, because its lock of output '%s' expired and could not be renewed; see the log for the reason; the images are kept, and a rerun reuses them"
              .formatted(output),
          failure);
    }
  }

  private LightmillException takenOver() {
    return new LightmillException(
        ErrorCode.OUTPUT_IN_USE,
        "output '%s' was taken over by another run because this run did not renew its lock in time; its images are kept, and a rerun reuses them"
            .formatted(output));
  }

  @Override
  public void close() {
    spark.removeJobTag(tag);
    renewal.close();
  }
}
