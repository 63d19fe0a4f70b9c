package io.lightmill.jobs;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.PipelineLimits;
import io.lightmill.udfs.RunListener;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.Redaction;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import picocli.CommandLine.Model.CommandSpec;

/** Prints what a run is about to do, then a progress bar. Safe for several threads. */
final class GenerationProgress implements RunListener, AutoCloseable {

  private final PrintWriter out;
  private final boolean terminal;
  private final LongSupplier nanoTime;
  private final GenerationOptions options;
  private ProgressBar bar;
  private boolean tabulated;

  /**
   * @param terminal whether {@code out} takes control characters
   * @param nanoTime as {@link System#nanoTime}
   */
  GenerationProgress(
      PrintWriter out, boolean terminal, LongSupplier nanoTime, GenerationOptions options) {
    this.out = out;
    this.terminal = terminal;
    this.nanoTime = nanoTime;
    this.options = options;
  }

  /** Prints on standard error of a command, as verbosely as it says. */
  static GenerationProgress of(CommandSpec command, GenerationOptions options) {
    return new GenerationProgress(
        Verbosity.of(command).progress(command.commandLine().getErr()),
        Terminal.ERROR.isOn(),
        System::nanoTime,
        options);
  }

  @Override
  public void opened(String pipelineClass, String digest, PipelineLimits limits) {
    Map<String, String> given = options.columnDefaults();
    PipelineLimits.Defaults defaults = limits.defaults();
    out.printf(
        "checkpoint %s: %s, digest %.12s; by default %s×%s, %s steps%n",
        Redaction.location(options.get(ModelOptions.CHECKPOINT)),
        pipelineClass,
        digest,
        given.getOrDefault("width", "" + defaults.width()),
        given.getOrDefault("height", "" + defaults.height()),
        given.getOrDefault("num_inference_steps", "" + defaults.numInferenceSteps()));
    out.flush();
  }

  @Override
  public void waiting(String location, Duration since) {
    out.printf("waiting for %s since %d s%n", Redaction.location(location), since.toSeconds());
    out.flush();
  }

  @Override
  public void waitingForLock(String holder) {
    out.printf(
        "%s; this run waits at most %s for it%n",
        holder, options.jobFile().get(Options.WAIT_FOR_LOCK.key()));
    out.flush();
  }

  @Override
  public synchronized void planned(long images, long toGenerate) {
    if (!tabulated) {
      long withoutDrawing = images - toGenerate;
      out.printf(
          "%s → %s: %d to draw%s%n",
          Redaction.location(options.get(Options.INPUT)),
          images == 1 ? "1 image" : images + " images",
          toGenerate,
          withoutDrawing == 0 ? "" : ", %d reused or invalid".formatted(withoutDrawing));
      out.flush();
    }
    if (toGenerate > 0) {
      bar = new ProgressBar(out, terminal, nanoTime, "drawing", toGenerate);
    }
  }

  /** {@inheritDoc} The table counts the images, so that {@link #planned} prints no line. */
  @Override
  public synchronized void plan(Supplier<List<String>> lines) {
    lines.get().forEach(out::println);
    out.flush();
    tabulated = true;
  }

  @Override
  public synchronized void idleNegativePrompts(long images, ClassifierFreeGuidance guidance) {
    String scale = guidance.name().toLowerCase(Locale.ROOT);
    out.printf(
        "note: %s a negative prompt without effect, since %s is at most 1; set --%s 4 or a column"
            + " %2$s, which doubles the time to draw%n",
        images == 1 ? "1 image has" : images + " images have", scale, scale.replace('_', '-'));
    out.flush();
  }

  @Override
  public synchronized void notice(String sentence) {
    Terminal.ERROR.println(
        out, Terminal.ERROR.ansi(), Terminal.Colour.YELLOW, "note:", " " + sentence);
    out.flush();
  }

  @Override
  public synchronized void tooManyFailures(long rows) {
    out.printf(
        "%d rows failed or are invalid, more than --max-failures %d allows; running batches finish,"
            + " and no further batch starts%n",
        rows, options.get(Options.MAX_FAILURES));
    out.flush();
  }

  /** The time to load the model is not one of drawing. */
  @Override
  public synchronized void drawing() {
    if (bar != null) {
      bar.begin();
    }
  }

  @Override
  public synchronized void finished(long images) {
    if (bar != null) {
      bar.reach(images);
    }
  }

  @Override
  public synchronized void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
