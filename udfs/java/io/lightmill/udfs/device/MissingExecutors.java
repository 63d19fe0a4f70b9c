package io.lightmill.udfs.device;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says once a minute that a run has no executor, and what each would need. Spark waits for them
 * without an end, and does not say what it asked for.
 */
public final class MissingExecutors implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(MissingExecutors.class);
  private static final Duration INTERVAL = Duration.ofMinutes(1);

  private final SparkConf conf;
  private final IntSupplier executors;
  private final Clock clock;
  private final ScheduledExecutorService looking =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "look for executors");
            thread.setDaemon(true);
            return thread;
          });
  private Instant lastSeen;

  MissingExecutors(SparkConf conf, IntSupplier executors, Clock clock) {
    this.conf = conf;
    this.executors = executors;
    this.clock = clock;
    this.lastSeen = clock.instant();
  }

  /** Of a session. */
  public static MissingExecutors of(SparkContext spark) {
    return new MissingExecutors(
        spark.getConf(),
        () -> spark.statusTracker().getExecutorInfos().length - 1, // one of them is the driver
        Clock.systemUTC());
  }

  /** Looks from now on until closed; never in local mode, which has no other executor. */
  @SuppressWarnings(
      "FutureReturnValueIgnored") // looking ends with the executor, and throws nothing
  public void watch() {
    if (!Cluster.isLocal(conf.get("spark.master"))) {
      looking.scheduleWithFixedDelay(
          () -> look().ifPresent(LOG::warn),
          INTERVAL.toMillis(),
          INTERVAL.toMillis(),
          TimeUnit.MILLISECONDS);
    }
  }

  /** What there is to say now; empty where executors are at work. */
  Optional<String> look() {
    Instant now = clock.instant();
    if (executors.getAsInt() > 0) {
      lastSeen = now;
      return Optional.empty();
    }
    return Optional.of(
        "for %d s there has been no executor. Each asks for %s cores, %s of memory%s; see in the user interface of %s whether a worker has as much free, and why executors ended"
            .formatted(
                Duration.between(lastSeen, now).toSeconds(),
                conf.get("spark.executor.cores", "all"),
                conf.get("spark.executor.memory", "1g"),
                gpus(),
                conf.get("spark.master")));
  }

  private String gpus() {
    double gpus = RequestedGpus.of(conf).executor();
    return gpus > 0 ? " and %.0f GPUs".formatted(gpus) : "";
  }

  @Override
  public void close() {
    looking.shutdownNow();
  }
}
