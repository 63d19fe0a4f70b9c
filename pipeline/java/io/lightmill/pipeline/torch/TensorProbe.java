package io.lightmill.pipeline.torch;

/** Receives intermediate tensors of a pipeline, for verification and debugging. */
@FunctionalInterface
public interface TensorProbe {

  /** Sees nothing. */
  TensorProbe NONE = (name, tensor) -> {};

  /**
   * Called once for each named tensor, in order of computation.
   *
   * @param name such as {@code te.text_encoder.0.pooler_output} or {@code latents.3}
   * @param tensor borrowed for the call; not to be closed or kept
   */
  void record(String name, Tensor tensor);
}
