package io.lightmill.udfs.run;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.udfs.RunListener;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Logs what a listener throws once drawing has begun. The images are drawn and the manifest may be
 * committed by then, so the run must not fail because of its listener.
 */
record GuardedListener(RunListener listener) implements RunListener {

  private static final Logger LOG = LoggerFactory.getLogger(GuardedListener.class);

  @Override
  public void opened(String pipelineClass, String digest, PipelineLimits limits) {
    listener.opened(pipelineClass, digest, limits);
  }

  @Override
  public void waiting(String location, Duration since) {
    logged(() -> listener.waiting(location, since));
  }

  @Override
  public void waitingForLock(String holder) {
    logged(() -> listener.waitingForLock(holder));
  }

  @Override
  public void idleNegativePrompts(long images, ClassifierFreeGuidance guidance) {
    listener.idleNegativePrompts(images, guidance);
  }

  @Override
  public void notice(String sentence) {
    listener.notice(sentence);
  }

  @Override
  public void planned(long images, long toGenerate) {
    listener.planned(images, toGenerate);
  }

  /** A plan that cannot be printed does not stop the run. */
  @Override
  public void plan(Supplier<List<String>> lines) {
    logged(() -> listener.plan(lines));
  }

  @Override
  public void drawing() {
    logged(listener::drawing);
  }

  @Override
  public void tooManyFailures(long rows) {
    logged(() -> listener.tooManyFailures(rows));
  }

  @Override
  public void finished(long images) {
    logged(() -> listener.finished(images));
  }

  private static void logged(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException e) { // of the caller's code
      LOG.warn("The listener of the run failed; the run continues", e);
    }
  }
}
