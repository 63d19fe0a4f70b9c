package io.lightmill.jobs;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.udfs.GenerationSettings;
import io.lightmill.udfs.ImageGeneration;
import io.lightmill.udfs.option.Redaction;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongSupplier;

/** Says what a run is about to do, and draws a bar while it does it. Safe for several threads. */
final class GenerationProgress implements ImageGeneration.Progress, AutoCloseable {

  private final PrintWriter out;
  private final boolean terminal;
  private final LongSupplier nanoTime;
  private final GenerationSettings settings;
  private ProgressBar bar;
  private long withoutDrawing;

  /**
   * @param terminal whether {@code out} takes control characters
   * @param nanoTime as {@link System#nanoTime}
   */
  GenerationProgress(
      PrintWriter out, boolean terminal, LongSupplier nanoTime, GenerationSettings settings) {
    this.out = out;
    this.terminal = terminal;
    this.nanoTime = nanoTime;
    this.settings = settings;
  }

  @Override
  public void opened(String pipelineClass, String digest, PipelineLimits limits) {
    GenerationSettings.Defaults asked = settings.defaults();
    PipelineLimits.Defaults given = limits.defaults();
    out.printf(
        "checkpoint %s: %s, digest %.12s; %d×%d, %d steps where rows say nothing else%n",
        Redaction.location(settings.checkpoint()),
        pipelineClass,
        digest,
        asked.width().orElse(given.width()),
        asked.height().orElse(given.height()),
        asked.numInferenceSteps().orElse(given.numInferenceSteps()));
    out.flush();
  }

  @Override
  public synchronized void planned(long images, long toGenerate) {
    withoutDrawing = images - toGenerate;
    out.printf(
        "%s → %s: %d to draw%s%n",
        Redaction.location(settings.table().location()),
        images == 1 ? "1 image" : images + " images",
        toGenerate,
        withoutDrawing == 0 ? "" : ", %d reused or invalid".formatted(withoutDrawing));
    out.flush();
    if (toGenerate > 0) {
      bar = new ProgressBar(out, terminal, nanoTime, "drawing", toGenerate);
    }
  }

  @Override
  public synchronized void idleNegativePrompts(long images, ClassifierFreeGuidance guidance) {
    String scale = guidance.name().toLowerCase(Locale.ROOT);
    out.printf(
        "note: %s a negative prompt without effect, since %s is 1 or less; give --%s 4, or a column"
            + " %2$s, at twice the time to draw%n",
        images == 1 ? "1 image has" : images + " images have", scale, scale.replace('_', '-'));
    out.flush();
  }

  @Override
  public synchronized void tooManyFailures(long rows) {
    out.printf(
        "%d rows failed or are invalid, more than --max-failures %d allows; batches that are being"
            + " drawn are finished, and no further one is begun%n",
        rows, settings.mostFailures().orElseThrow());
    out.flush();
  }

  /** Tasks pass over rows that need no drawing first. */
  @Override
  public synchronized void finished(long images) {
    if (bar != null) {
      bar.reach(images - withoutDrawing);
    }
  }

  @Override
  public synchronized void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
