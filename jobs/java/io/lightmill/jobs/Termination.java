package io.lightmill.jobs;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.apache.hadoop.service.launcher.IrqHandler;

/**
 * Handles SIGTERM, which schedulers and cloud providers send before they stop a process, and
 * Ctrl-C. The first signal ends the run, a second one ends the process. So does the first if no run
 * is active yet. A run that was cancelled, on a signal or at its deadline, and does not return
 * within seconds, ends with the process.
 */
final class Termination implements AutoCloseable {

  private static final AtomicReference<Termination> LISTENING = new AtomicReference<>();

  /** The signals by the names that the JVM gives them, and the names that people do. */
  private static final Map<String, String> SIGNALS =
      Map.of(IrqHandler.SIGTERM, "SIGTERM", IrqHandler.CONTROL_C, "Ctrl-C");

  /** Shells report a process that a signal ended with this status and the signal's number. */
  private static final int SIGNALLED = 128;

  private static final Duration TICK = Duration.ofMillis(500);
  private static final int TICKS_TO_RETURN = 20;
  private static final int TICKS_TO_EXIT = 40;

  private final BooleanSupplier end;
  private final BooleanSupplier cancelled;
  private final PrintWriter err;
  private boolean received;

  private Termination(BooleanSupplier end, BooleanSupplier cancelled, PrintWriter err) {
    this.end = end;
    this.cancelled = cancelled;
    this.err = err;
  }

  /**
   * @param end ends the run, and says whether there was one to end
   * @param cancelled whether the run was cancelled and has not returned yet
   */
  static Termination of(BooleanSupplier end, BooleanSupplier cancelled, PrintWriter err) {
    return new Termination(end, cancelled, err);
  }

  /** Handles the signals until closed. */
  void listen() {
    LISTENING.set(this);
    SIGNALS.forEach(
        (signal, name) ->
            new IrqHandler(signal, caught -> handle(name, caught.getNumber())).bind());
    Thread watch = new Thread(this::watch, "end of process");
    watch.setDaemon(true);
    watch.start();
  }

  private static void handle(String signal, int number) {
    Termination listening = LISTENING.get();
    if (listening == null || !listening.first(signal)) {
      System.exit(SIGNALLED + number);
    }
  }

  private synchronized boolean first(String signal) {
    if (received || !end.getAsBoolean()) {
      return false;
    }
    received = true;
    say(
        "the run ends on %s; if it is drawing, batches in flight finish and finished images are committed (a second signal ends the process at once)"
            .formatted(signal));
    return true;
  }

  /** Ends the process if the run was cancelled and does not return. */
  private void watch() {
    int ticks = 0;
    while (LISTENING.get() == this && ticks < TICKS_TO_RETURN + TICKS_TO_EXIT) {
      ticks = cancelled.getAsBoolean() ? ticks + 1 : 0;
      if (ticks == TICKS_TO_RETURN) {
        say("the run was cancelled and does not return, so the process ends; run it again");
        Thread exit = new Thread(() -> System.exit(ExitStatus.STOPPED), "exit");
        exit.setDaemon(true);
        exit.start();
      }
      try {
        Thread.sleep(TICK.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
    if (ticks == TICKS_TO_RETURN + TICKS_TO_EXIT) { // the hooks of the exit wait for something, too
      Runtime.getRuntime().halt(ExitStatus.STOPPED);
    }
  }

  private void say(String sentence) {
    err.println("lightmill: " + sentence);
    err.flush();
  }

  @Override
  public void close() {
    LISTENING.compareAndSet(this, null);
  }
}
