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
 * @param checks digest of the checks that decide which image is the result; empty if none does
 * @param hosted whether it is behind an API: it gets a prompt and a size and nothing else, and
 *     draws another image each time
 */
public record Model(
    String name,
    String digest,
    String pipelineClass,
    String scheduler,
    String dtype,
    Map<String, String> adapters,
    String checks,
    boolean hosted)
    implements Serializable {

  /** A checkpoint with checks. */
  public Model(
      String name,
      String digest,
      String pipelineClass,
      String scheduler,
      String dtype,
      Map<String, String> adapters,
      String checks) {
    this(name, digest, pipelineClass, scheduler, dtype, adapters, checks, false);
  }

  /** A model behind an API. */
  public static Model hosted(String name, String digest, String pipelineClass) {
    return new Model(name, digest, pipelineClass, null, null, Map.of(), "", true);
  }

  public Model {
    adapters = Map.copyOf(adapters);
  }

  /** A checkpoint without checks. */
  public Model(
      String name,
      String digest,
      String pipelineClass,
      String scheduler,
      String dtype,
      Map<String, String> adapters) {
    this(name, digest, pipelineClass, scheduler, dtype, adapters, "");
  }

  /** This checkpoint with checks. */
  public Model withChecks(String digestOfChecks) {
    return new Model(
        name, digest, pipelineClass, scheduler, dtype, adapters, digestOfChecks, hosted);
  }

  /** A checkpoint without adapters. */
  public Model(String name, String digest, String pipelineClass, String scheduler, String dtype) {
    this(name, digest, pipelineClass, scheduler, dtype, Map.of());
  }
}
