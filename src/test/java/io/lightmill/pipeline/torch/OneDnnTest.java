package io.lightmill.pipeline.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class OneDnnTest {

  @Test
  void weightsArePackedFor32BitsOnX86() {
    assertThat(OneDnn.isPresent("amd64")).isTrue();
    assertThat(OneDnn.isPresent("x86_64")).isTrue();
    assertThat(OneDnn.isPresent("aarch64")).isFalse();
    assertThat(OneDnn.packs(Device.CPU, DType.BF16)).isFalse();
    assertThat(OneDnn.packs(Device.cuda(0), DType.F32)).isFalse();
  }

  @Test
  void theSubstituteDefinesTheSameFunctions() throws IOException {
    assertThat(functions(OneDnn.ABSENT)).hasSizeGreaterThan(3).isEqualTo(functions(OneDnn.TEXT));
  }

  @Test
  void theSubstituteComputesOverPlainWeights() {
    ScriptModule absent = ScriptModule.of("absent", "Absent");
    try (Tensor x = Tensor.of(new float[] {1, 2}, 1, 2);
        Tensor weight = Tensor.of(new float[] {3, 4, -1, 0}, 2, 2);
        Tensor plain = absent.tensor("linear", x, weight, "none");
        Tensor gelu = absent.tensor("linear", x, weight, "gelu");
        Tensor picture = Tensor.of(new float[] {5}, 1, 1, 1, 1);
        Tensor kernel = Tensor.of(new float[] {1, 1, 1, 1, 2, 1, 1, 1, 1}, 1, 1, 3, 3);
        Tensor convolved = absent.tensor("conv", picture, kernel)) {
      assertThat(plain.toFloats()).containsExactly(11, -1);
      assertThat(gelu.toFloats()[0]).isEqualTo(11);
      assertThat(gelu.toFloats()[1]).isEqualTo(-0.1588f, offset(1e-4f));
      assertThat(convolved.toFloats()).containsExactly(10);
    }
  }

  private static List<String> functions(String text) throws IOException {
    return Files.readAllLines(Path.of("pipeline/resources/torchscript", text + ".py")).stream()
        .filter(line -> line.startsWith("def "))
        .toList();
  }
}
