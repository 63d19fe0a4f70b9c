package io.lightmill.udfs.progress;

import io.lightmill.udfs.ImageGeneration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * The driver's count of one run's finished rows: for each partition, the furthest that any attempt
 * at it came, so that retries and speculation count no row twice.
 */
public final class ImageProgress implements AutoCloseable {

  private static final Map<String, ImageProgress> RUNS = new ConcurrentHashMap<>();

  private final String runId;
  private final ImageGeneration.Progress listener;
  private final Optional<TaskEndProgress> fallback;
  private final Map<Integer, Long> finished = new HashMap<>();
  private long total;
  private long firstTaskNanos;
  private long firstDrawingNanos;

  private ImageProgress(
      String runId, ImageGeneration.Progress listener, Optional<TaskEndProgress> fallback) {
    this.runId = runId;
    this.listener = listener;
    this.fallback = fallback;
  }

  /** Follows a run of this thread until closed. */
  public static ImageProgress follow(
      SparkSession spark, String runId, ImageGeneration.Progress listener) {
    SparkContext context = spark.sparkContext();
    Optional<TaskEndProgress> fallback =
        ProgressPlugin.configured(context.getConf())
            ? Optional.empty()
            : Optional.of(new TaskEndProgress(context, runId));
    ImageProgress progress = new ImageProgress(runId, listener, fallback);
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
    long known = finished.getOrDefault(partition, 0L);
    if (rows > known) {
      finished.put(partition, rows);
      total += rows - known;
      listener.finished(total);
    }
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
