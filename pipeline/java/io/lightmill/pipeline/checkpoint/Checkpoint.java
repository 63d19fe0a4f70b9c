package io.lightmill.pipeline.checkpoint;

import java.nio.file.Path;

/**
 * A checkpoint in diffusers' directory layout: {@code model_index.json} and one folder a component.
 *
 * @param directory that holds {@code model_index.json}
 * @param pipelineClass diffusers' class for it, such as {@code FluxPipeline}
 */
public record Checkpoint(Path directory, String pipelineClass) {

  /**
   * Reads the index and checks that every component that it names is there.
   *
   * @throws io.lightmill.pipeline.LightmillException with {@code CHECKPOINT_INVALID}
   */
  public static Checkpoint open(Path directory) {
    throw new UnsupportedOperationException("laid next");
  }

  /** SHA-256 over the content of all files that decide pixels, in hex. */
  public String digest() {
    throw new UnsupportedOperationException("laid next");
  }
}
