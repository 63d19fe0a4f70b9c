package io.lightmill.pipeline.torch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ScriptModuleTest {

  @Test
  void allTextsCompile() {
    ScriptModule.of("flux", "FluxTransformer2DModel");
    ScriptModule.of("autoencoder_kl", "AutoencoderKL");
    ScriptModule.of("clip", "CLIPTextModel");
    ScriptModule.of("t5", "T5EncoderModel");
    ScriptModule.of("flow", "Flow");
    ScriptModule.of("weights", "Weights");
  }

  @Test
  void noise() {
    ScriptModule latents = ScriptModule.of("flow", "Flow");
    try (Opaque generator = latents.opaque("generator", Device.CPU, 42L);
        Tensor noise = latents.tensor("noise", generator, new long[] {2, 2}, DType.F32)) {
      assertThat(noise.shape()).containsExactly(2, 2);
      assertThat(noise.toFloats()).startsWith(0.33669037f, 0.1288094f);
    }
  }
}
