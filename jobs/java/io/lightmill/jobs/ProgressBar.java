package io.lightmill.jobs;

import io.lightmill.udfs.report.RunSummary;
import java.io.PrintWriter;
import java.util.function.LongSupplier;

/**
 * Shows the number of finished images and the remaining time: in place on a terminal, elsewhere as
 * a line every ten seconds. Safe for several threads.
 */
final class ProgressBar implements AutoCloseable {

  private static final int CELLS = 24;
  private static final String EIGHTHS = " ▏▎▍▌▋▊▉";
  private static final long SECOND = 1_000_000_000L;
  private static final long REDRAW_NANOS = SECOND / 10;
  private static final long LINE_NANOS = 10 * SECOND;

  private final PrintWriter out;
  private final boolean terminal;
  private final LongSupplier nanoTime;
  private final String label;
  private final long total;
  private long started;

  private long done;
  private long drawn;
  private long progressed;
  private boolean closed;

  /**
   * @param terminal whether {@code out} takes control characters
   * @param nanoTime as {@link System#nanoTime}
   * @param total above zero
   */
  ProgressBar(PrintWriter out, boolean terminal, LongSupplier nanoTime, String label, long total) {
    this.out = out;
    this.terminal = terminal;
    this.nanoTime = nanoTime;
    this.label = label;
    this.total = total;
    this.started = nanoTime.getAsLong();
    this.drawn = started;
    this.progressed = started;
    if (terminal) {
      draw(started);
    }
  }

  /** Counts the time from now, if no image is finished yet. */
  synchronized void begin() {
    if (done == 0) {
      started = nanoTime.getAsLong();
    }
  }

  /** Sets the number of finished images; a smaller number than before is ignored. */
  synchronized void reach(long count) {
    long now = nanoTime.getAsLong();
    if (Math.min(count, total) > done) {
      done = Math.min(count, total);
      progressed = now;
    }
    if (!closed && now - drawn >= (terminal ? REDRAW_NANOS : LINE_NANOS)) {
      draw(now);
    }
  }

  /** Draws the final state and ends the line. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      draw(done == total ? progressed : nanoTime.getAsLong());
      if (terminal) {
        out.println();
        out.flush();
      }
    }
  }

  private void draw(long now) {
    drawn = now;
    if (terminal) {
      out.print("\r" + line(now) + "\u001b[K");
    } else {
      out.println(line(now));
    }
    out.flush();
  }

  private String line(long now) {
    String count = "%d/%d".formatted(done, total);
    int width = 2 * String.valueOf(total).length() + 1;
    String state = "%s  %s%" + width + "s  %3d %%";
    String line = state.formatted(label, terminal ? bar() + "  " : "", count, 100 * done / total);
    double seconds = (now - started) / (double) SECOND;
    return done == 0 || seconds <= 0 ? line : line + "  " + pace(seconds);
  }

  private String bar() {
    long eighths = CELLS * 8L * done / total;
    String full = "█".repeat((int) (eighths / 8));
    return full.length() == CELLS
        ? full
        : full + EIGHTHS.charAt((int) (eighths % 8)) + " ".repeat(CELLS - full.length() - 1);
  }

  private String pace(double seconds) {
    double rate = done / seconds;
    String speed = RunSummary.speed(rate);
    return done == total
        ? speed + "  in " + clock(seconds)
        : speed + "  ETA " + clock((total - done) / rate);
  }

  private static String clock(double duration) {
    long seconds = Math.round(duration);
    return seconds < 3600
        ? "%d:%02d".formatted(seconds / 60, seconds % 60)
        : "%d:%02d:%02d".formatted(seconds / 3600, seconds / 60 % 60, seconds % 60);
  }
}
