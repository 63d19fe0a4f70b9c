package io.lightmill.pipeline.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class TensorMemoryTest {

  private static final int SIZE = 1 << 16;

  /** Tensors whose values stayed in a buffer of Java's would read what came to lie there next. */
  @Test
  void valuesOutliveWhatTheyWereMadeFrom() {
    List<Tensor> tensors = new ArrayList<>();
    try {
      for (int i = 0; i < 100; i++) {
        tensors.add(filled(i));
        System.gc();
      }
      for (int i = 0; i < tensors.size(); i++) {
        assertThat(tensors.get(i).toFloats()).containsOnly(i);
      }
    } finally {
      tensors.forEach(Tensor::close);
    }
  }

  private static Tensor filled(float value) {
    float[] values = new float[SIZE];
    Arrays.fill(values, value);
    return Tensor.of(values, SIZE);
  }
}
