package io.lightmill.pipeline.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import ai.djl.engine.EngineException;
import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ScriptModuleTest {

  private static final ScriptModule MODULE = ScriptModule.of("test_module", "Arguments");

  @ParameterizedTest
  @CsvSource({
    "flux, FluxTransformer2DModel",
    "autoencoder_kl, AutoencoderKL",
    "clip, CLIPTextModel",
    "t5, T5EncoderModel",
    "flow, Flow",
    "weights, Weights"
  })
  void everyNetworkCompilesOnce(String text, String className) {
    assertThat(ScriptModule.of(text, className)).isSameAs(ScriptModule.of(text, className));
  }

  @Test
  void importsAreFollowed() {
    try (Tensor one = Tensor.of(new float[] {1}, 1);
        Tensor three = MODULE.tensor("twice", one)) {
      assertThat(three.toFloats()).containsExactly(3);
    }
  }

  @Test
  void argumentsOfEveryKindArrive() {
    try (Tensor first = Tensor.of(new float[] {5}, 1);
        Tensor second = Tensor.of(new float[] {6, 7}, 2);
        Tensor joined =
            MODULE.tensor(
                "mixed", 3, 0.5f, true, "joined", new long[] {2}, new Tensor[] {first, second});
        Tensor plain =
            MODULE.tensor("mixed", 3L, 0.5, false, "", new long[] {1}, new Tensor[] {first})) {
      assertThat(joined.toFloats()).containsExactly(1.5f, 1.5f, 5, 6, 7);
      assertThat(plain.toFloats()).containsExactly(1.5f);
      assertThat(second.toFloats()).as("stays the caller's").containsExactly(6, 7);
    }
  }

  @ParameterizedTest
  @EnumSource(DType.class)
  void typesAndDevicesArriveByTheirNumbersAndNames(DType dtype) {
    try (Tensor made = MODULE.tensor("typed", Device.CPU, dtype);
        Tensor floats =
            ScriptModule.of("tensors", "Tensors").tensor("to", made, Device.CPU, DType.F32)) {
      assertThat(floats.toFloats()).containsExactly(1, 1, 1);
    }
  }

  @Test
  void aTupleGoesFromOneCallToTheNext() {
    try (Tensor x = Tensor.of(new float[] {1, 2}, 2);
        Handle pair = MODULE.handle("pair", x);
        Tensor second = MODULE.tensor("second", pair)) {
      assertThat(second.toFloats()).containsExactly(2, 4);
    }
  }

  @Test
  void otherArgumentsAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> MODULE.tensor("twice", Path.of("x")))
        .withMessage("no TorchScript argument: x");
  }

  @Test
  void aCallThatFailsNamesTextAndLine() {
    try (Tensor x = Tensor.of(new float[] {1, 2}, 2)) {
      assertThatExceptionOfType(EngineException.class)
          .isThrownBy(() -> MODULE.tensor("fails", x))
          .withMessageContaining("test_module.py\", line 34, in fails")
          .withMessageContaining("x.view([7])");
    }
  }

  @Test
  void aTextThatDoesNotCompileNamesTextAndLine() {
    assertThatExceptionOfType(EngineException.class)
        .isThrownBy(() -> ScriptModule.of("test_broken", "Broken"))
        .withMessageContaining("no_such_operator")
        .withMessageContaining("test_broken.py\", line 4");
  }

  @Test
  void anUnknownTextIsNamed() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ScriptModule.of("nothing", "Nothing"))
        .withMessage("no network text /torchscript/nothing.py on the class path");
  }

  /**
   * The first values of {@code torch.randn(4, generator=torch.Generator("cpu").manual_seed(42))}.
   */
  @Test
  void noiseOfASeedIsThatOfTorch() {
    try (Tensor noise = noise(42)) {
      assertThat(noise.shape()).containsExactly(2, 2);
      assertThat(noise.toFloats())
          .containsExactly(0.33669037f, 0.1288094f, 0.23446237f, 0.23033303f);
    }
    try (Tensor other = noise(43);
        Tensor again = noise(42)) {
      assertThat(other.toFloats()[0]).isNotEqualTo(0.33669037f);
      assertThat(again.toFloats()[0]).isEqualTo(0.33669037f);
    }
  }

  @Test
  void aGeneratorGoesOnWhereItStopped() {
    ScriptModule flow = ScriptModule.of("flow", "Flow");
    try (Handle generator = flow.handle("generator", Device.CPU, 42L);
        Handle other = flow.handle("generator", Device.CPU, 42L);
        Tensor first = flow.tensor("noise", generator, new long[] {2}, DType.F32);
        Tensor second = flow.tensor("noise", generator, new long[] {2}, DType.F32);
        Tensor beside = flow.tensor("noise", other, new long[] {2}, DType.F32)) {
      assertThat(second.toFloats()).isNotEqualTo(first.toFloats());
      assertThat(beside.toFloats()).isEqualTo(first.toFloats());
    }
  }

  private static Tensor noise(long seed) {
    ScriptModule flow = ScriptModule.of("flow", "Flow");
    try (Handle generator = flow.handle("generator", Device.CPU, seed)) {
      return flow.tensor("noise", generator, new long[] {2, 2}, DType.F32);
    }
  }
}
