package io.lightmill.udfs.progress;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import io.lightmill.udfs.ImageStatus;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.DoubleAdder;
import java.util.function.LongSupplier;
import org.apache.spark.SparkEnv;
import org.apache.spark.metrics.source.Source;

/**
 * What Spark's metrics system publishes of the runs of this process. The source {@code lightmill}
 * of the driver has whole runs; the source {@code lightmill.executor} of each executor has what its
 * own tasks did, attempts that failed included.
 *
 * <ul>
 *   <li>{@code images.generated}, {@code images.reused}, {@code images.blocked}, {@code
 *       images.failed}, {@code images.invalid}, {@code images.pending}: rows of the manifest
 *   <li>{@code device.seconds}: time that devices spent drawing
 *   <li>{@code queue.depth}: images that are still to be drawn (driver only)
 *   <li>{@code runs.active}: runs that have begun and not ended (driver only)
 * </ul>
 */
public final class RunMetrics implements Source {

  private static final double MILLIS_PER_SECOND = 1000;

  private static final RunMetrics DRIVER = new RunMetrics("lightmill");
  private static final RunMetrics EXECUTOR = new RunMetrics("lightmill.executor");

  private final String name;
  private final MetricRegistry registry = new MetricRegistry();
  private final Map<ImageStatus, Counter> images = new EnumMap<>(ImageStatus.class);
  private final DoubleAdder deviceMillis = new DoubleAdder();

  /** By run, the images that it still has to draw. */
  private final Map<String, LongSupplier> queues = new ConcurrentHashMap<>();

  /** The environment whose metrics system has this source; another session has another one. */
  private SparkEnv registered;

  private RunMetrics(String name) {
    this.name = name;
    for (ImageStatus status : ImageStatus.values()) {
      images.put(status, registry.counter("images." + status.label()));
    }
    Gauge<Double> seconds = () -> deviceMillis.sum() / MILLIS_PER_SECOND;
    registry.register("device.seconds", seconds);
  }

  /** The metrics of a driver, which its metrics system publishes from now on. */
  static RunMetrics ofDriver() {
    DRIVER.gauges();
    return DRIVER.published();
  }

  /** The metrics of the executor of this task, which its metrics system publishes from now on. */
  static RunMetrics ofExecutor() {
    return EXECUTOR.published();
  }

  private synchronized void gauges() {
    if (!registry.getNames().contains("queue.depth")) {
      Gauge<Long> depth = () -> queues.values().stream().mapToLong(LongSupplier::getAsLong).sum();
      registry.register("queue.depth", depth);
      Gauge<Integer> active = queues::size;
      registry.register("runs.active", active);
    }
  }

  private synchronized RunMetrics published() {
    SparkEnv current = SparkEnv.get();
    if (current != null && current != registered) { // none in a test of a single class
      current.metricsSystem().registerSource(this);
      registered = current;
    }
    return this;
  }

  /** Counts rows and their time. */
  void count(RowCounts more) {
    more.byStatus().forEach((status, rows) -> images.get(status).inc(rows));
    deviceMillis.add(more.deviceMillis());
  }

  /** A run has begun. */
  void begin(String run, LongSupplier toDraw) {
    queues.put(run, toDraw);
  }

  void end(String run) {
    queues.remove(run);
  }

  @Override
  public String sourceName() {
    return name;
  }

  @Override
  public MetricRegistry metricRegistry() {
    return registry;
  }
}
