package io.lightmill.udfs;

import io.lightmill.pipeline.PromptLength;
import io.lightmill.pipeline.torch.Device;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What this JVM has loaded: one pipeline a device, shared by all tasks, since loading takes longer
 * than drawing. It stays until another takes its place or its job ends in this JVM.
 */
final class LoadedPipelines {

  private static final Map<Device, DeviceSlot> SLOTS = new ConcurrentHashMap<>();
  private static final Map<String, PromptLength> LENGTHS = new ConcurrentHashMap<>();

  private LoadedPipelines() {}

  static DeviceSlot slot(Device device) {
    return SLOTS.computeIfAbsent(device, DeviceSlot::new);
  }

  static PromptLength promptLength(PipelineLoader loader) {
    return LENGTHS.computeIfAbsent(loader.key(), key -> loader.promptLength());
  }

  /** Frees what a job's loader has loaded here. */
  static void release(PipelineLoader loader) {
    SLOTS.values().forEach(slot -> slot.release(loader));
    PromptLength length = LENGTHS.remove(loader.key());
    if (length != null) {
      length.close();
    }
  }
}
