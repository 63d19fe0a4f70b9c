package io.lightmill.pipeline.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.engine.EngineException;
import io.lightmill.pipeline.Device;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TensorTest {

  private static final ScriptModule MODULE = ScriptModule.of("test_module", "Arguments");

  @Test
  void floatsGoThereAndBack() {
    float[] values = {1, -0f, Float.NaN, Float.MIN_VALUE, Float.POSITIVE_INFINITY, 3};
    try (Tensor tensor = Tensor.of(values, 2, 3)) {
      assertThat(tensor.shape()).containsExactly(2, 3);
      assertThat(tensor.toFloats()).containsExactly(values);
    }
  }

  @Test
  void longsGoThereAndBack() {
    long[] values = {Long.MIN_VALUE, 0, 1L << 53 | 1};
    try (Tensor tensor = Tensor.of(values, 3, 1)) {
      assertThat(tensor.shape()).containsExactly(3, 1);
      assertThat(tensor.toLongs()).containsExactly(values);
    }
  }

  @Test
  void manyValuesGoThereAndBack() {
    float[] floats = new float[3000];
    long[] longs = new long[3000];
    for (int i = 0; i < longs.length; i++) {
      floats[i] = 1f / i;
      longs[i] = (1L << 60) + i;
    }
    try (Tensor first = Tensor.of(floats, 2, 1500);
        Tensor second = Tensor.of(longs, 3000)) {
      assertThat(first.shape()).containsExactly(2, 1500);
      assertThat(first.toFloats()).containsExactly(floats);
      assertThat(first.bytes()).isEqualTo(12_000);
      assertThat(second.toLongs()).containsExactly(longs);
      assertThat(second.bytes()).isEqualTo(24_000);
    }
  }

  @Test
  void bytesAreReadUnsigned() {
    try (Tensor tensor = Tensor.of(new float[] {0, 0.5f, 1}, 1, 3, 1, 1);
        Tensor quantized = ScriptModule.of("flow", "Flow").tensor("quantize", tensor)) {
      assertThat(quantized.shape()).containsExactly(1, 1, 1, 3);
      assertThat(quantized.toBytes()).containsExactly(0, 128, 255);
    }
  }

  @Test
  void weightsKeepTensorsThatWereClosed() {
    Weights weights;
    try (Tensor a = Tensor.of(new float[] {1}, 1);
        Tensor b = Tensor.of(new float[] {2}, 1)) {
      weights = Weights.of(Map.of("blocks.0.a", a, "blocks.1.b", b, "blocks.1.c.d", a, "other", b));
    }
    try (weights;
        Weights stack = weights.stack("blocks", 3);
        Tensor counts = MODULE.tensor("count", stack);
        Weights below = weights.below("blocks.1.");
        Tensor b = MODULE.tensor("entry", below, "b");
        Tensor d = MODULE.tensor("entry", below, "c.d")) {
      assertThat(counts.toLongs()).containsExactly(1, 2, 0);
      assertThat(b.toFloats()).containsExactly(2);
      assertThat(d.toFloats()).containsExactly(1);
      assertThatExceptionOfType(EngineException.class)
          .isThrownBy(() -> MODULE.tensor("entry", below, "other"));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "gpu", "cuda", "cuda:", "cuda:x", "CPU", "cpu:0"})
  void aDeviceHasPytorchsName(String name) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Device(name))
        .withMessageContaining("is none of cpu, cuda:N, mps");
    assertThat(Device.cuda(3)).hasToString("cuda:3");
  }
}
