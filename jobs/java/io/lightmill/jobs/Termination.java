package io.lightmill.jobs;

import java.io.PrintWriter;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hadoop.service.launcher.IrqHandler;

/**
 * Handles SIGTERM, which cloud providers send before they stop a machine: the first signal ends the
 * run gracefully, a second one ends the process.
 */
final class Termination implements AutoCloseable {

  private static final AtomicReference<Termination> LISTENING = new AtomicReference<>();

  /** The status that shells report for a process that the signal ended. */
  private static final int TERMINATED = 128 + 15;

  private final Runnable end;
  private final PrintWriter err;
  private boolean received;

  private Termination(Runnable end, PrintWriter err) {
    this.end = end;
    this.err = err;
  }

  /**
   * @param end ends the run gracefully
   */
  static Termination of(Runnable end, PrintWriter err) {
    return new Termination(end, err);
  }

  /** Handles the signal until closed. */
  void listen() {
    LISTENING.set(this);
    new IrqHandler(IrqHandler.SIGTERM, signal -> handle()).bind();
  }

  private static void handle() {
    Termination listening = LISTENING.get();
    if (listening == null || !listening.first()) {
      System.exit(TERMINATED);
    }
  }

  private synchronized boolean first() {
    if (received) {
      return false;
    }
    received = true;
    err.println(
        "lightmill: the run ends on SIGTERM: running batches finish, and finished images are committed"
            + " (a second signal ends the process at once)");
    err.flush();
    end.run();
    return true;
  }

  @Override
  public void close() {
    LISTENING.compareAndSet(this, null);
  }
}
