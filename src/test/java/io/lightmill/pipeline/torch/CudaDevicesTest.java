package io.lightmill.pipeline.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.djl.engine.EngineException;
import org.junit.jupiter.api.Test;

class CudaDevicesTest {

  /** The text compiles up to the operator that only builds with CUDA have. */
  @Test
  void aBuildWithoutCudaHasNoGpusAndNoOperatorThatCountsThem() {
    assertThat(Torch.gpus()).isZero();
    assertThatThrownBy(CudaDevices::count)
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("cuda::device_count");
  }
}
