package io.lightmill.pipeline.schedule;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.torch.ScriptModule;
import io.lightmill.pipeline.torch.Tensor;
import org.junit.jupiter.api.Test;

class LinspaceTest {

  @Test
  void singleNumbersAreThoseOfTorchToTheLastBit() {
    ScriptModule script = ScriptModule.of("linspace", "Linspace");
    for (int count = 1; count <= 100; count++) {
      try (Tensor expected = script.tensor("of", 1.0, 1.0 / count, count)) {
        assertThat(floats(Linspace.single(1, 1.0 / count, count)))
            .as("%d numbers", count)
            .containsExactly(expected.toFloats());
      }
    }
  }

  @Test
  void numpyAndTorchDifferByTheLastBit() {
    float[] numpy = floats(Linspace.of(1, 1.0 / 3, 3));
    float[] torch = floats(Linspace.single(1, 1.0 / 3, 3));

    assertThat(numpy).containsExactly(1, 0x1.555556p-1f, 0x1.555556p-2f);
    assertThat(torch).containsExactly(1, 0x1.555554p-1f, 0x1.555556p-2f);
  }

  private static float[] floats(double[] values) {
    float[] floats = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      floats[i] = (float) values[i];
    }
    return floats;
  }
}
