package io.lightmill.udfs.progress;

import io.lightmill.udfs.ImageGeneration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * The driver's count of one run's finished rows: for each partition, the furthest that any attempt
 * at it came, so that retries and speculation count no row twice. Ends the run early once more rows
 * failed or are invalid than it may have.
 */
public final class ImageProgress implements AutoCloseable {

  private static final Map<String, ImageProgress> RUNS = new ConcurrentHashMap<>();

  private final String runId;
  private final ImageGeneration.Progress listener;
  private final Optional<TaskEndProgress> fallback;
  private final OptionalInt mostFailures;
  private final Map<Integer, Long> finished = new HashMap<>();
  private final Map<Integer, Long> failed = new HashMap<>();
  private long total;
  private long failures;
  private long firstTaskNanos;
  private long firstDrawingNanos;

  private ImageProgress(
      String runId,
      ImageGeneration.Progress listener,
      OptionalInt mostFailures,
      Optional<TaskEndProgress> fallback) {
    this.runId = runId;
    this.listener = listener;
    this.mostFailures = mostFailures;
    this.fallback = fallback;
  }

  /**
   * Follows a run of this thread until closed.
   *
   * @param mostFailures rows that may fail or be invalid; of one more, no further batch is begun
   *     where the session has {@link ProgressPlugin}. Empty for no limit
   */
  public static ImageProgress follow(
      SparkSession spark,
      String runId,
      ImageGeneration.Progress listener,
      OptionalInt mostFailures) {
    SparkContext context = spark.sparkContext();
    Optional<TaskEndProgress> fallback =
        ProgressPlugin.configured(context.getConf())
            ? Optional.empty()
            : Optional.of(new TaskEndProgress(context, runId));
    ImageProgress progress = new ImageProgress(runId, listener, mostFailures, fallback);
    RUNS.put(runId, progress);
    fallback.ifPresent(TaskEndProgress::follow);
    return progress;
  }

  /** Passes on what a task sent. */
  static void received(TaskProgress message) {
    ImageProgress run = RUNS.get(message.runId());
    if (run != null) {
      run.count(message.partition(), message.finished());
    }
  }

  /** Passes on how many failures a task has seen. */
  static void received(DrawingStop.Question message) {
    ImageProgress run = RUNS.get(message.runId());
    if (run != null) {
      run.failed(message.partition(), message.failed());
    }
  }

  /** Passes on that a task draws. */
  static void received(DrawingBegun message) {
    ImageProgress run = RUNS.get(message.runId());
    if (run != null) {
      run.drawing();
    }
  }

  private synchronized void drawing() {
    if (firstDrawingNanos == 0) {
      firstDrawingNanos = System.nanoTime();
    }
  }

  private synchronized void count(int partition, long rows) {
    if (firstTaskNanos == 0) {
      firstTaskNanos = System.nanoTime();
    }
    long more = beyond(finished, partition, rows);
    if (more > 0) {
      total += more;
      listener.finished(total);
    }
  }

  private synchronized void failed(int partition, long rows) {
    boolean known = tooMany();
    failures += beyond(failed, partition, rows);
    if (!known && tooMany()) {
      DrawingStop.end(runId);
      listener.tooManyFailures(failures);
    }
  }

  private boolean tooMany() {
    return mostFailures.isPresent() && failures > mostFailures.getAsInt();
  }

  /** How much further this attempt at a partition is than any before; remembered. */
  private static long beyond(Map<Integer, Long> known, int partition, long rows) {
    long before = known.getOrDefault(partition, 0L);
    known.put(partition, Math.max(before, rows));
    return Math.max(0, rows - before);
  }

  /** When the first task spoke, by {@link System#nanoTime}; empty if none has. */
  public synchronized OptionalLong firstTaskNanos() {
    return firstTaskNanos == 0 ? OptionalLong.empty() : OptionalLong.of(firstTaskNanos);
  }

  /** When the first device had its model; empty if none has drawn. */
  public synchronized OptionalLong firstDrawingNanos() {
    return firstDrawingNanos == 0 ? OptionalLong.empty() : OptionalLong.of(firstDrawingNanos);
  }

  @Override
  public void close() {
    RUNS.remove(runId);
    fallback.ifPresent(TaskEndProgress::close);
  }
}
