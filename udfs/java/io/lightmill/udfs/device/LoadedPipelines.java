package io.lightmill.udfs.device;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.PromptLength;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this JVM has loaded: one pipeline a device, shared by all tasks, since loading takes longer
 * than drawing. A pipeline stays until another takes its place on the device, until the last run
 * that uses it ends in this JVM, or, in a JVM that runs no jobs but their tasks, until no task has
 * used it for a minute.
 */
public final class LoadedPipelines {

  private static final Logger LOG = LoggerFactory.getLogger(LoadedPipelines.class);

  private static final Duration MOST_IDLE = Duration.ofSeconds(60);
  private static final Duration INTERVAL = Duration.ofSeconds(10);

  private static final Map<Device, DeviceSlot> SLOTS = new ConcurrentHashMap<>();
  private static final Map<String, PromptLength> LENGTHS = new ConcurrentHashMap<>();

  /** Runs of this JVM that use a pipeline, by its key. */
  private static final Map<String, Integer> RUNS = new ConcurrentHashMap<>();

  @SuppressWarnings("UnusedVariable") // nobody waits for it: it ends with the JVM
  private static final ScheduledFuture<?> CLOSING =
      Executors.newSingleThreadScheduledExecutor(
              task -> {
                Thread thread = new Thread(task, "close idle models");
                thread.setDaemon(true);
                return thread;
              })
          .scheduleWithFixedDelay(
              LoadedPipelines::closeIdle,
              INTERVAL.toMillis(),
              INTERVAL.toMillis(),
              TimeUnit.MILLISECONDS);

  private LoadedPipelines() {}

  /** A run of this JVM that uses a pipeline until it is closed. */
  public interface Run extends AutoCloseable {

    /** Closes the pipeline as well, unless another run uses it. */
    @Override
    void close();
  }

  public static DeviceSlot slot(Device device) {
    return SLOTS.computeIfAbsent(device, DeviceSlot::new);
  }

  public static PromptLength promptLength(PipelineLoader loader) {
    return LENGTHS.computeIfAbsent(loader.key(), key -> loader.promptLength());
  }

  /** Begins a run that uses the loader's pipeline; nothing is loaded yet. */
  public static Run run(PipelineLoader loader) {
    RUNS.merge(loader.key(), 1, Integer::sum);
    return () -> end(loader);
  }

  /** The last run takes the prompt length out of use before another run can begin and find it. */
  private static void end(PipelineLoader loader) {
    List<PromptLength> unused = new ArrayList<>();
    Integer others =
        RUNS.computeIfPresent(
            loader.key(),
            (key, runs) -> {
              if (runs > 1) {
                return runs - 1;
              }
              Optional.ofNullable(LENGTHS.remove(key)).ifPresent(unused::add);
              return null;
            });
    if (others == null) {
      SLOTS.values().forEach(slot -> slot.release(loader));
      unused.forEach(PromptLength::close);
    }
  }

  private static void closeIdle() {
    Set<String> used = Set.copyOf(RUNS.keySet());
    try {
      SLOTS.values().forEach(slot -> slot.closeIfIdle(MOST_IDLE, used));
    } catch (RuntimeException e) {
      LOG.warn("An idle model could not be closed", e);
    }
  }
}
