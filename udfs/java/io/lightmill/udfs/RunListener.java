package io.lightmill.udfs;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.PipelineLimits;
import org.slf4j.LoggerFactory;

/**
 * Follows a run. Methods are called from several threads, and return quickly. What they throw
 * before drawing begins fails the run; what {@link #finished} and {@link #tooManyFailures} throw is
 * logged.
 */
public interface RunListener {

  /** Logs notices and ignores everything else. */
  RunListener NONE = new RunListener() {};

  /**
   * The checkpoint is available on the driver; its weights are not loaded yet.
   *
   * @param pipelineClass diffusers' class
   * @param digest over the content of its files
   * @param limits with the defaults of the checkpoint
   */
  default void opened(String pipelineClass, String digest, PipelineLimits limits) {}

  /**
   * Some images have a negative prompt that has no effect.
   *
   * @param guidance that is at most 1 for them
   */
  default void idleNegativePrompts(long images, ClassifierFreeGuidance guidance) {}

  /**
   * Something about the prompt table that the user should know, such as a column that has no
   * effect. Logged by default.
   *
   * @param sentence without a final period
   */
  default void notice(String sentence) {
    LoggerFactory.getLogger(RunListener.class).warn(sentence);
  }

  /** The plan is complete: {@code images} rows, of which some have to be drawn. */
  default void planned(long images, long toGenerate) {}

  /**
   * More rows failed or are invalid than the run may have: no further batch starts.
   *
   * @param rows so far
   */
  default void tooManyFailures(long rows) {}

  /** Rows finished so far, with any status. */
  default void finished(long images) {}
}
