package io.lightmill.udfs.device;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.PromptLength;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What this JVM has loaded: one pipeline a device, shared by all tasks, since loading takes longer
 * than drawing. It stays until another takes its place or its job ends in this JVM.
 */
public final class LoadedPipelines {

  private static final Map<Device, DeviceSlot> SLOTS = new ConcurrentHashMap<>();
  /** Runs of this JVM's driver by the key of their loader. */
  private static final Map<String, Integer> RUNS = new HashMap<>();

  private static final Map<String, PromptLength> LENGTHS = new ConcurrentHashMap<>();

  private LoadedPipelines() {}

  public static DeviceSlot slot(Device device) {
    return SLOTS.computeIfAbsent(device, DeviceSlot::new);
  }

  public static PromptLength promptLength(PipelineLoader loader) {
    return LENGTHS.computeIfAbsent(loader.key(), key -> loader.promptLength());
  }

  /** Counts a run that uses the loader; {@link #release} ends it. */
  public static synchronized void hold(PipelineLoader loader) {
    RUNS.merge(loader.key(), 1, Integer::sum);
  }

  /** Ends a run; the last run of a loader frees what it has loaded in this JVM. */
  public static synchronized void release(PipelineLoader loader) {
    if (RUNS.merge(loader.key(), -1, (runs, one) -> runs + one) > 0) {
      return;
    }
    RUNS.remove(loader.key());
    SLOTS.values().forEach(slot -> slot.release(loader));
    PromptLength length = LENGTHS.remove(loader.key());
    if (length != null) {
      length.close();
    }
  }
}
