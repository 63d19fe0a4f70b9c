package io.lightmill.udfs.device;

import com.sun.management.OperatingSystemMXBean;
import io.lightmill.pipeline.Device;
import java.lang.management.ManagementFactory;
import org.apache.spark.SparkEnv;

/**
 * What a device has for drawings. A GPU draws one batch at a time, or, where several tasks share
 * it, one batch of each: one denoises while the others encode prompts and decode latents. A CPU
 * draws as many images at once as it has cores and memory for.
 *
 * @param threads of all drawings together, at least 1; a drawing on a GPU has one
 * @param bytes of weights and of all drawings together
 */
record DeviceCapacity(int threads, long bytes) {

  private static final String CORES = "spark.executor.cores";

  static DeviceCapacity of(Device device) {
    if (device.equals(Device.HOSTED)) {
      return new DeviceCapacity(Integer.MAX_VALUE, Long.MAX_VALUE); // the allowance limits requests
    }
    return device.equals(Device.CPU)
        ? new DeviceCapacity(cores(), memory())
        : new DeviceCapacity(slots(), Long.MAX_VALUE);
  }

  /** Tasks that share a GPU. */
  private static int slots() {
    SparkEnv spark = SparkEnv.get();
    return spark == null ? 1 : spark.conf().getInt(Cluster.SLOTS_PER_GPU, 1);
  }

  /** The executor's cores, which may be fewer than the machine's. */
  private static int cores() {
    int machine = Runtime.getRuntime().availableProcessors();
    SparkEnv spark = SparkEnv.get();
    return spark == null ? machine : Math.min(machine, spark.conf().getInt(CORES, machine));
  }

  /** Memory of the machine, or of its container, that Java's heap leaves. */
  private static long memory() {
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return Math.max(0, system.getTotalMemorySize() - Runtime.getRuntime().maxMemory());
  }
}
