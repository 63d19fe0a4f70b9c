package io.lightmill.jobs;

import io.lightmill.udfs.ImageGeneration;
import java.io.PrintWriter;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.hadoop.service.launcher.IrqHandler;

/**
 * SIGTERM, as clouds send it before they take a machine away: the first ends the run gracefully,
 * and a second one ends the process.
 */
final class Termination implements AutoCloseable {

  private static final AtomicReference<Termination> LISTENING = new AtomicReference<>();

  /** As shells report a process that the signal ended. */
  private static final int TERMINATED = 128 + 15;

  private final String runId;
  private final PrintWriter err;
  private boolean told;

  private Termination(String runId, PrintWriter err) {
    this.runId = runId;
    this.err = err;
  }

  static Termination of(String runId, PrintWriter err) {
    return new Termination(runId, err);
  }

  /** From now on until closed, the signal ends this run. */
  void listen() {
    LISTENING.set(this);
    new IrqHandler(IrqHandler.SIGTERM, signal -> received()).bind();
  }

  private static void received() {
    Termination listening = LISTENING.get();
    if (listening == null || !listening.first()) {
      System.exit(TERMINATED);
    }
  }

  private synchronized boolean first() {
    if (told) {
      return false;
    }
    told = true;
    err.println(
        "lightmill: told to end; batches that are being drawn are finished, and all is committed"
            + " (a second signal ends at once)");
    err.flush();
    ImageGeneration.end(runId);
    return true;
  }

  @Override
  public void close() {
    LISTENING.compareAndSet(this, null);
  }
}
