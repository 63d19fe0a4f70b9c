package io.lightmill.udfs.device;

import java.io.Serializable;
import java.util.Map;

/**
 * The checkpoint of a job, by what identifies it.
 *
 * @param name as the user wrote it
 * @param digest of the files that decide pixels
 * @param pipelineClass diffusers' class, such as {@code FluxPipeline}
 * @param scheduler diffusers' class, such as {@code FlowMatchEulerDiscreteScheduler}
 * @param dtype of the weights on the device, such as {@code bfloat16}
 * @param adapters digests of the adapters that rows may name, by name
 */
public record Model(
    String name,
    String digest,
    String pipelineClass,
    String scheduler,
    String dtype,
    Map<String, String> adapters)
    implements Serializable {

  public Model {
    adapters = Map.copyOf(adapters);
  }

  /** A checkpoint without adapters. */
  public Model(String name, String digest, String pipelineClass, String scheduler, String dtype) {
    this(name, digest, pipelineClass, scheduler, dtype, Map.of());
  }
}
