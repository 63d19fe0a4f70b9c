package io.lightmill.jobs;

import java.io.PrintWriter;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.apache.hadoop.service.launcher.IrqHandler;

/**
 * Handles SIGTERM, which cloud providers send before they stop a machine: the first signal ends the
 * run gracefully, a second one ends the process. So does the first where no run is active yet.
 */
final class Termination implements AutoCloseable {

  private static final AtomicReference<Termination> LISTENING = new AtomicReference<>();

  /** The status that shells report for a process that the signal ended. */
  private static final int TERMINATED = 128 + 15;

  private final BooleanSupplier end;
  private final PrintWriter err;
  private boolean received;

  private Termination(BooleanSupplier end, PrintWriter err) {
    this.end = end;
    this.err = err;
  }

  /**
   * @param end ends the run gracefully, and says whether there was one to end
   */
  static Termination of(BooleanSupplier end, PrintWriter err) {
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
    if (received || !end.getAsBoolean()) {
      return false;
    }
    received = true;
    err.println(
        "lightmill: the run ends on SIGTERM: running batches finish, and finished images are"
            + " committed (a second signal ends the process at once)");
    err.flush();
    return true;
  }

  @Override
  public void close() {
    LISTENING.compareAndSet(this, null);
  }
}
