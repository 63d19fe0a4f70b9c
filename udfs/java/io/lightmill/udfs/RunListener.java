package io.lightmill.udfs;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.PipelineLimits;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
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
   * The run waits for a file system or a checkpoint, and has not begun to plan. Called after ten
   * seconds, then every minute.
   *
   * @param location that does not answer
   * @param since how long the run has waited
   */
  default void waiting(String location, Duration since) {}

  /**
   * Another run holds the lock of the output, and this run waits until it may have it.
   *
   * @param holder one sentence
   */
  default void waitingForLock(String holder) {}

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
   * The plan as a table of text, before the run draws.
   *
   * @param lines computes it, which takes a few small Spark jobs, so only if it is printed
   */
  default void plan(Supplier<List<String>> lines) {}

  /** The first device has its model and draws. */
  default void drawing() {}

  /**
   * More rows failed or are invalid than the run may have: no further batch starts.
   *
   * @param rows so far
   */
  default void tooManyFailures(long rows) {}

  /**
   * Images that this run has drawn so far, successfully or not, of those {@code toGenerate}. In a
   * session of a cluster without {@link io.lightmill.udfs.progress.ProgressPlugin} these are all
   * rows of the tasks that have ended.
   */
  default void finished(long images) {}
}
