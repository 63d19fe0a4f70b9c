package io.lightmill.pipeline;

import java.nio.file.Path;

/**
 * Loads checkpoints for {@link DiffusionPipeline#load(Path)}. {@link java.util.ServiceLoader} finds
 * the implementation, so that the contract does not depend on it.
 */
public interface PipelineProvider {

  /**
   * Loads a checkpoint.
   *
   * @param checkpoint directory in diffusers' layout
   * @param device of all networks
   * @param dtype that the networks compute in
   * @throws LightmillException if the checkpoint is missing, damaged or of an unknown pipeline
   *     class
   */
  DiffusionPipeline load(Path checkpoint, Device device, DType dtype);
}
