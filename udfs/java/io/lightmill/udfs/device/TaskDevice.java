package io.lightmill.udfs.device;

import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/** The device that a task draws on. */
public final class TaskDevice {

  private TaskDevice() {}

  /**
   * The GPU whose address Spark gave to the task; in local mode, where it gives none, the machine's
   * GPUs in turn; else the CPU.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if the address is no index
   */
  public static Device of(Cluster cluster, TaskContext task) {
    ResourceInformation gpu = task.resourcesJMap().get("gpu");
    return of(
        cluster,
        task.partitionId(),
        gpu == null ? Optional.empty() : Arrays.stream(gpu.addresses()).findFirst());
  }

  /**
   * The devices that a task may draw on: its own, then those that take its place if it is broken.
   * In local mode these are the machine's other GPUs.
   *
   * @throws LightmillException as {@link #of}
   */
  public static List<Device> candidates(Cluster cluster, TaskContext task) {
    return candidates(cluster, of(cluster, task));
  }

  static List<Device> candidates(Cluster cluster, Device own) {
    List<Device> local = local(cluster);
    int first = cluster.localGpus() > 0 ? local.indexOf(own) : -1;
    return first < 0
        ? List.of(own)
        : IntStream.range(0, local.size())
            .mapToObj(i -> local.get((first + i) % local.size()))
            .toList();
  }

  static Device of(Cluster cluster, int partition, Optional<String> address) {
    if (cluster.localGpus() > 0) {
      return Device.cuda(partition % cluster.localGpus());
    }
    return cluster.cuda() ? address.map(TaskDevice::cuda).orElse(Device.CPU) : Device.CPU;
  }

  /** The first device of this machine. */
  public static Device first(Cluster cluster) {
    return local(cluster).get(0);
  }

  /** The devices of a machine that is driver and executor at once. */
  static List<Device> local(Cluster cluster) {
    return cluster.localGpus() == 0
        ? List.of(Device.CPU)
        : IntStream.range(0, cluster.localGpus()).mapToObj(Device::cuda).toList();
  }

  private static Device cuda(String address) {
    if (!address.matches("\\d{1,4}")) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "the GPU address '%s' is no index; let the discovery script name GPUs 0, 1, …"
              .formatted(address));
    }
    return Device.cuda(Integer.parseInt(address));
  }
}
