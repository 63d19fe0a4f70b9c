package io.lightmill.udfs.progress;

import io.lightmill.udfs.RunListener;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.SparkSession;

/**
 * The driver's count of drawn images of one run: for each partition the maximum over its attempts,
 * so that retries and speculation count no image twice. Ends the run early when more rows failed or
 * are invalid than it may have.
 */
public final class ImageProgress implements AutoCloseable {

  private static final Map<String, ImageProgress> RUNS = new ConcurrentHashMap<>();

  private final String run;
  private final RunListener listener;
  private final Optional<TaskEndProgress> fallback;
  private final OptionalInt mostFailures;
  private final Map<Integer, Long> drawn = new HashMap<>();
  private final Map<Integer, Long> failed = new HashMap<>();
  private final Map<Integer, RowCounts> rows = new HashMap<>();
  private final RunMetrics metrics = RunMetrics.ofDriver();
  private long toDraw;
  private long total;
  private long failures;
  private long firstTaskNanos;
  private long firstDrawingNanos;

  private ImageProgress(
      String run,
      RunListener listener,
      OptionalInt mostFailures,
      Optional<TaskEndProgress> fallback) {
    this.run = run;
    this.listener = listener;
    this.mostFailures = mostFailures;
    this.fallback = fallback;
  }

  /**
   * Follows a run of this thread until closed. Logs what is missing where the session has no {@link
   * ProgressPlugin}.
   *
   * @param run see {@link DrawingStop#key}
   * @param mostFailures rows that may fail or be invalid; after one more, no further batch starts.
   *     Empty for no limit
   */
  public static ImageProgress follow(
      SparkSession spark, String run, RunListener listener, OptionalInt mostFailures) {
    SparkContext context = spark.sparkContext();
    Optional<TaskEndProgress> fallback =
        ProgressPlugin.configured(context.getConf())
            ? Optional.empty()
            : Optional.of(new TaskEndProgress(context, run));
    if (fallback.isPresent()) {
      ProgressPlugin.explainAbsence(context);
    }
    return follow(run, listener, mostFailures, fallback);
  }

  static ImageProgress follow(
      String run,
      RunListener listener,
      OptionalInt mostFailures,
      Optional<TaskEndProgress> fallback) {
    ImageProgress progress = new ImageProgress(run, listener, mostFailures, fallback);
    RUNS.put(run, progress);
    progress.metrics.begin(run, progress::queued);
    return progress;
  }

  /**
   * The next rows that jobs of this thread write are those of the manifest, and not of the plan.
   */
  public void drawingStarts() {
    fallback.ifPresent(TaskEndProgress::follow);
  }

  /** Counts images that a task has drawn. */
  static void received(TaskProgress message) {
    ImageProgress progress = RUNS.get(message.run());
    if (progress != null) {
      progress.count(message.partition(), message.drawn());
      progress.count(message.partition(), message.rows());
    }
  }

  /** Counts failures that a task has seen. */
  static void received(DrawingStop.Question message) {
    ImageProgress progress = RUNS.get(message.run());
    if (progress != null) {
      progress.failed(message.partition(), message.failed());
    }
  }

  /** Notes that a task draws. */
  static void received(DrawingBegun message) {
    ImageProgress progress = RUNS.get(message.run());
    if (progress != null) {
      progress.drawing();
    }
  }

  private synchronized void drawing() {
    if (firstDrawingNanos == 0) {
      firstDrawingNanos = System.nanoTime();
      listener.drawing();
    }
  }

  private synchronized void count(int partition, long images) {
    if (firstTaskNanos == 0) {
      firstTaskNanos = System.nanoTime();
    }
    long more = beyond(drawn, partition, images);
    if (more > 0) {
      total += more;
      listener.finished(total);
    }
  }

  private synchronized void count(int partition, RowCounts counts) {
    RowCounts before = rows.getOrDefault(partition, RowCounts.NONE);
    metrics.count(counts.beyond(before));
    rows.put(partition, counts.or(before));
  }

  /** The plan is complete: so many images are to be drawn. */
  public synchronized void planned(long images) {
    toDraw = images;
  }

  private synchronized long queued() {
    return Math.max(0, toDraw - total);
  }

  private synchronized void failed(int partition, long rows) {
    boolean known = tooMany();
    failures += beyond(failed, partition, rows);
    if (!known && tooMany()) {
      DrawingStop.end(run);
      listener.tooManyFailures(failures);
    }
  }

  private boolean tooMany() {
    return mostFailures.isPresent() && failures > mostFailures.getAsInt();
  }

  /** By how much this attempt at a partition exceeds the maximum so far; updates the maximum. */
  private static long beyond(Map<Integer, Long> known, int partition, long rows) {
    long before = known.getOrDefault(partition, 0L);
    known.put(partition, Math.max(before, rows));
    return Math.max(0, rows - before);
  }

  /** When the first task reported, by {@link System#nanoTime}; empty if none has. */
  public synchronized OptionalLong firstTaskNanos() {
    return firstTaskNanos == 0 ? OptionalLong.empty() : OptionalLong.of(firstTaskNanos);
  }

  /** When the first device had its model; empty if none has drawn. */
  public synchronized OptionalLong firstDrawingNanos() {
    return firstDrawingNanos == 0 ? OptionalLong.empty() : OptionalLong.of(firstDrawingNanos);
  }

  @Override
  public void close() {
    RUNS.remove(run);
    metrics.end(run);
    fallback.ifPresent(TaskEndProgress::close);
  }
}
