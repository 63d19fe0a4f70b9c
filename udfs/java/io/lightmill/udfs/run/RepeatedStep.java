package io.lightmill.udfs.run;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.lock.OutputLock;
import io.lightmill.udfs.progress.DrawingStop;
import io.lightmill.udfs.store.StoreOutage;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Repeats a step of a run whose Spark jobs failed because the store was unavailable, when it
 * responds again. Calls of our own to the store are repeated where they are made; this is for those
 * that Spark makes, such as reading and committing manifests.
 *
 * @param run see {@link DrawingStop#key}
 */
record RepeatedStep(String run, OutputLock lock) {

  private static final Logger LOG = LoggerFactory.getLogger(RepeatedStep.class);
  private static final int MOST_REPETITIONS = 3;

  /** What S3 says of an upload whose completion it has not confirmed and has made. */
  private static final String COMPLETED_BEFORE = "NoSuchUpload";

  /** A step of a run. */
  @FunctionalInterface
  interface Step<T> {
    /**
     * @param repeated whether an earlier attempt failed
     */
    T run(boolean repeated) throws Exception;
  }

  <T> T of(Step<T> step) throws Exception {
    for (int failures = 0; ; failures++) {
      try {
        return step.run(failures > 0);
      } catch (Exception e) { // Spark throws checked exceptions that Scala does not declare
        if (failures == MOST_REPETITIONS || DrawingStop.isEnded(run) || !isRepeatable(e)) {
          throw e;
        }
        LOG.warn(
            "A step of the run is repeated, since the store failed: {}", StoreOutage.reason(e));
        lock.require();
      }
    }
  }

  private static boolean isRepeatable(Exception failure) {
    LightmillException known = ExceptionUtils.throwableOfType(failure, LightmillException.class);
    boolean exhausted = known != null && known.code() == ErrorCode.STORE_UNAVAILABLE;
    return !exhausted
        && (StoreOutage.isCauseOf(failure)
            || ExceptionUtils.getStackTrace(failure).contains(COMPLETED_BEFORE));
  }
}
