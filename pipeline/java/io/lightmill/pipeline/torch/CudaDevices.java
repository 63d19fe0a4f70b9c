package io.lightmill.pipeline.torch;

import ai.djl.pytorch.jni.IValue;

/**
 * The GPUs of a libtorch with CUDA. DJL counts those of the CUDA runtime that it finds on the
 * library path by the name libcudart.so; libtorch's own copy, such as libcudart-c3a75b33.so.12, has
 * another.
 */
final class CudaDevices {

  private CudaDevices() {}

  /**
   * GPUs that libtorch uses.
   *
   * @throws ai.djl.engine.EngineException for a build without CUDA, which lacks the operator
   */
  static int count() {
    IValue count = ScriptModule.of("cuda", "Cuda").run("device_count");
    try {
      return Math.toIntExact(count.toLong());
    } finally {
      count.close();
    }
  }
}
