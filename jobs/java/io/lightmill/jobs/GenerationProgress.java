package io.lightmill.jobs;

import io.lightmill.udfs.ImageGeneration;
import java.io.PrintWriter;
import java.util.function.LongSupplier;

/** Says what a run is about to do, and draws a bar while it does it. Safe for several threads. */
final class GenerationProgress implements ImageGeneration.Progress, AutoCloseable {

  private final PrintWriter out;
  private final boolean terminal;
  private final LongSupplier nanoTime;
  private final String input;
  private final String checkpoint;
  private ProgressBar bar;
  private long withoutDrawing;

  /**
   * @param terminal whether {@code out} takes control characters
   * @param nanoTime as {@link System#nanoTime}
   */
  GenerationProgress(
      PrintWriter out, boolean terminal, LongSupplier nanoTime, String input, String checkpoint) {
    this.out = out;
    this.terminal = terminal;
    this.nanoTime = nanoTime;
    this.input = input;
    this.checkpoint = checkpoint;
  }

  @Override
  public synchronized void planned(long images, long toGenerate) {
    withoutDrawing = images - toGenerate;
    out.printf(
        "%s → %s: %d to draw%s; checkpoint %s%n",
        input,
        images == 1 ? "1 image" : images + " images",
        toGenerate,
        withoutDrawing == 0 ? "" : ", %d reused or invalid".formatted(withoutDrawing),
        checkpoint);
    out.flush();
    if (toGenerate > 0) {
      bar = new ProgressBar(out, terminal, nanoTime, "drawing", toGenerate);
    }
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
