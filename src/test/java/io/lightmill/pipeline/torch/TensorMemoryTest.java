package io.lightmill.pipeline.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class TensorMemoryTest {

  /** DJL wraps a Java buffer, which the collector frees while the engine still reads it. */
  @Test
  void valuesOutliveTheJavaBufferThatBroughtThem() {
    List<Tensor> tensors = new ArrayList<>();
    try {
      for (int i = 0; i < 64; i++) {
        tensors.add(Tensor.of(filled(i), 1 << 14));
      }
      overwriteFreedBuffers();
      for (int i = 0; i < tensors.size(); i++) {
        assertThat(tensors.get(i).toFloats()).containsOnly(i);
      }
    } finally {
      tensors.forEach(Tensor::close);
    }
  }

  private static float[] filled(float value) {
    float[] values = new float[1 << 14];
    Arrays.fill(values, value);
    return values;
  }

  private static void overwriteFreedBuffers() {
    for (int round = 0; round < 8; round++) {
      System.gc();
      for (int i = 0; i < 64; i++) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(4 << 14);
        while (buffer.hasRemaining()) {
          buffer.putInt(0x7fc00000);
        }
      }
    }
  }
}
