package io.lightmill.udfs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.torch.Device;
import org.apache.spark.TaskContext;
import org.apache.spark.resource.ResourceInformation;

/** The device that Spark gave to a task. */
final class TaskDevice {

  private TaskDevice() {}

  /**
   * The GPU whose address the task was given; the CPU where it was given none.
   *
   * @throws LightmillException with {@code CONFIGURATION_INVALID} if the address is no index
   */
  static Device of(TaskContext task) {
    ResourceInformation gpu = task.resourcesJMap().get("gpu");
    return gpu == null || gpu.addresses().length == 0 ? Device.CPU : cuda(gpu.addresses()[0]);
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
