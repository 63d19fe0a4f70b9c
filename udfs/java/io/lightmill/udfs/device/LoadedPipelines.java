package io.lightmill.udfs.device;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.PromptLength;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What this JVM has loaded: one pipeline a device, shared by all tasks, since loading takes longer
 * than drawing. It stays until another takes its place or its job ends in this JVM.
 */
public final class LoadedPipelines {

  private static final Map<Device, DeviceSlot> SLOTS = new ConcurrentHashMap<>();
  private static final Map<String, PromptLength> LENGTHS = new ConcurrentHashMap<>();

  private LoadedPipelines() {}

  public static DeviceSlot slot(Device device) {
    return SLOTS.computeIfAbsent(device, DeviceSlot::new);
  }

  public static PromptLength promptLength(PipelineLoader loader) {
    return LENGTHS.computeIfAbsent(loader.key(), key -> loader.promptLength());
  }

  /** Frees what a job's loader has loaded here. */
  public static void release(PipelineLoader loader) {
    SLOTS.values().forEach(slot -> slot.release(loader));
    PromptLength length = LENGTHS.remove(loader.key());
    if (length != null) {
      length.close();
    }
  }
}
