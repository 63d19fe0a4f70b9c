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
 * What this JVM has loaded: one pipeline per device and the tokenizers that count prompts, shared
 * by all tasks, since loading takes longer than drawing. A pipeline stays loaded until another one
 * replaces it on the device. Pipelines and tokenizers are closed when the last run of this JVM that
 * uses them ends, and those that no run of this JVM uses, as in executors, when no task has used
 * them for a minute.
 */
public final class LoadedPipelines {

  private static final Logger LOG = LoggerFactory.getLogger(LoadedPipelines.class);

  private static final Duration MOST_IDLE = Duration.ofSeconds(60);
  private static final Duration INTERVAL = Duration.ofSeconds(10);

  private static final Map<Device, DeviceSlot> SLOTS = new ConcurrentHashMap<>();
  private static final Map<String, SharedPromptLength> LENGTHS = new ConcurrentHashMap<>();

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
              () -> closeIdle(MOST_IDLE),
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
    return LENGTHS.computeIfAbsent(loader.key(), key -> new SharedPromptLength(loader));
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

  /** Closes what no run of this JVM uses and no task has used for so long. */
  static void closeIdle(Duration idle) {
    Set<String> used = Set.copyOf(RUNS.keySet());
    try {
      SLOTS.values().forEach(slot -> slot.closeIfIdle(idle, used));
      LENGTHS.forEach(
          (key, length) -> {
            if (!used.contains(key)) {
              length.closeIfIdle(idle);
            }
          });
    } catch (RuntimeException e) {
      LOG.warn("An idle model cannot be closed", e);
    }
  }
}
