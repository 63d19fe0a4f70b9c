package io.lightmill.pipeline.torch;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Convolutions of widths that autoencoders may have, against the same ones in 64 bits. */
class ConvolutionTest {

  @ParameterizedTest(name = "{0} to {1} channels, kernel {2}")
  @CsvSource({
    "24, 12, 3",
    "20, 20, 3",
    "72, 3, 3",
    "40, 48, 3",
    "12, 24, 3",
    "6, 6, 3",
    "32, 24, 3",
    "24, 72, 1"
  })
  void aConvolutionSumsItsInputsAlone(int inputs, int outputs, int kernel) {
    assertThat(difference(inputs, outputs, kernel, DType.F32)).isLessThan(1e-5f);
    assertThat(difference(inputs, outputs, kernel, DType.BF16)).isLessThan(1e-2f);
  }

  private static float difference(int inputs, int outputs, int kernel, DType dtype) {
    ScriptModule script = ScriptModule.of("convolution", "Convolution");
    try (Tensor difference =
        script.tensor("difference", Device.CPU, inputs, outputs, kernel, dtype)) {
      return difference.toFloats()[0];
    }
  }
}
