package io.lightmill.udfs.run;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.lock.OutputLock;
import io.lightmill.udfs.progress.DrawingStop;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends a run within seconds of {@link GenerationRun#end} or of its deadline, wherever it is. While
 * it draws, its tasks start no further batch and it commits what is finished. In other steps, and
 * if it only waits for executors or for the store, its Spark jobs are cancelled and its thread is
 * interrupted.
 */
final class RunEnding implements AutoCloseable {

  /** The steps of a run, as far as they end differently. */
  enum Step {
    PLANNING,
    DRAWING,
    COMMITTING,
    COMMITTED
  }

  private static final Logger LOG = LoggerFactory.getLogger(RunEnding.class);
  private static final Duration TICK = Duration.ofMillis(250);

  /** How long a run that draws may have no active task. */
  private static final Duration IDLE = Duration.ofSeconds(5);

  /** How long a committed run may write its run record and contact sheet. */
  private static final Duration FINISHING = Duration.ofSeconds(30);

  /** How long the store of a run that is to end may be unavailable. */
  private static final Duration OUTAGE = Duration.ofSeconds(15);

  private static final String INTERRUPT = "spark.job.interruptOnCancel";

  /** Keys of the runs that were cancelled and have not returned yet. */
  private static final Set<String> CANCELLED = ConcurrentHashMap.newKeySet();

  private final String run;
  private final SparkContext spark;
  private final Optional<Instant> deadline;
  private final Clock clock;
  private final String tag = "lightmill-" + UUID.randomUUID();
  private final RunTasks tasks = new RunTasks(tag);
  private final Thread caller = Thread.currentThread();
  private final String interrupting;
  private final Thread watch = new Thread(this::watch, "end of run");

  private Step step = Step.PLANNING;
  private Instant begun = Instant.now();
  private OutputLock lock;
  private boolean late;
  private Instant ended;
  private Instant busy;
  private String cancelled;
  private boolean aborted;
  private boolean closed;

  private RunEnding(String run, SparkContext spark, Optional<Instant> deadline, Clock clock) {
    this.run = run;
    this.spark = spark;
    this.deadline = deadline;
    this.clock = clock;
    this.interrupting = spark.getLocalProperty(INTERRUPT);
  }

  /**
   * Watches the run of this thread until closed.
   *
   * @param run see {@link DrawingStop#key}
   * @param clock of the deadline
   */
  static RunEnding of(String run, SparkContext spark, Optional<Instant> deadline, Clock clock) {
    RunEnding ending = new RunEnding(run, spark, deadline, clock);
    spark.addJobTag(ending.tag);
    spark.addSparkListener(ending.tasks);
    spark.setInterruptOnCancel(true);
    ending.watch.setDaemon(true);
    ending.watch.start();
    return ending;
  }

  /** Whether the run was cancelled, so that it only has to return. */
  static boolean isCancelled(String run) {
    return CANCELLED.contains(run);
  }

  /** From now on the run holds the lock. */
  synchronized void locked(OutputLock held) {
    lock = held;
  }

  /**
   * The next step of the run begins.
   *
   * @throws LightmillException with {@code RUN_STOPPED} if the run is to end before it draws
   */
  synchronized void begin(Step next) {
    if (next != Step.COMMITTED) {
      look();
      if (cancelled != null) {
        throw stopped(null);
      }
    }
    step = next;
    begun = Instant.now();
  }

  /** Cancels the Spark jobs of the run and interrupts its thread, since it cannot continue. */
  synchronized void abort() {
    if (!closed) {
      aborted = true;
      if (!spark.isStopped()) {
        spark.cancelJobsWithTag(tag);
      }
      caller.interrupt();
    }
  }

  /** The reason why the run failed, if it was cancelled. */
  synchronized Optional<LightmillException> reason(Exception failure) {
    return cancelled == null ? Optional.empty() : Optional.of(stopped(failure));
  }

  private void watch() {
    try {
      while (true) {
        synchronized (this) {
          if (closed) {
            return;
          }
          look();
          wait(TICK.toMillis());
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) { // of a session that stops
      LOG.warn("The run cannot be ended early any more", e);
    }
  }

  private void look() {
    if (deadline.isPresent() && !clock.instant().isBefore(deadline.get())) {
      late = true;
      DrawingStop.end(run);
    }
    if (closed || !DrawingStop.isEnded(run)) {
      return;
    }
    if (ended == null) {
      ended = Instant.now();
      busy = ended;
      if (lock != null) {
        lock.hurry();
      }
    }
    hindrance().ifPresent(this::cancel);
  }

  /** What keeps the run from ending by itself; empty while it is about to. */
  private Optional<String> hindrance() {
    boolean waiting = tasks.waitForExecutors();
    if (!waiting) {
      busy = Instant.now();
    }
    boolean idle = since(busy).compareTo(IDLE) >= 0;
    boolean unavailable =
        lock != null && lock.storeIsUnavailable(OUTAGE) && since(ended).compareTo(OUTAGE) >= 0;
    return switch (step) {
      case PLANNING -> Optional.of(waiting ? "waited for executors" : "was planning");
      case DRAWING ->
          idle
              ? Optional.of("waited for executors")
              : Optional.of("waited for its store").filter(waits -> unavailable);
      case COMMITTING -> Optional.of("waited for its store").filter(waits -> unavailable);
      case COMMITTED ->
          Optional.of("wrote its run record and contact sheet")
              .filter(writes -> unavailable || since(begun).compareTo(FINISHING) >= 0);
    };
  }

  private void cancel(String hindrance) {
    if (cancelled == null) {
      cancelled = hindrance;
      CANCELLED.add(run);
    }
    abort(); // repeated, since a retry in a library may have used up the last interrupt
  }

  private LightmillException stopped(Exception failure) {
    String outcome =
        switch (step) {
          case PLANNING -> "before it drew an image; run it again";
          case DRAWING, COMMITTING ->
              "and committed no manifest; images that it stored are kept, and a rerun reuses them";
          case COMMITTED -> "after its images and its manifest were committed";
        };
    return new LightmillException(
        ErrorCode.RUN_STOPPED,
        "the run ended %s while it %s, %s"
            .formatted(late ? "at its deadline" : "on request", cancelled, outcome),
        failure);
  }

  private static Duration since(Instant start) {
    return Duration.between(start, Instant.now());
  }

  /** Ends watching. The thread of the run is not interrupted any more. */
  void leave() {
    synchronized (this) {
      closed = true;
      notifyAll();
      if (aborted) {
        Thread.interrupted(); // of this class, and used up
      }
    }
  }

  @Override
  public void close() {
    leave();
    CANCELLED.remove(run);
    spark.removeJobTag(tag);
    spark.removeSparkListener(tasks);
    spark.setLocalProperty(INTERRUPT, interrupting);
  }
}
