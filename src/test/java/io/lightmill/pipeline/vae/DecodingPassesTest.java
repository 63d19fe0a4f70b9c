package io.lightmill.pipeline.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.torch.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DecodingPassesTest {

  /** Five images of one channel and 1×2 latents. */
  private static Tensor latents() {
    return Tensor.of(new float[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 5, 1, 1, 2);
  }

  @Test
  void decodesABatchInPassesAndJoinsThemInOrder() {
    List<float[]> passes = new ArrayList<>();

    try (Tensor latents = latents();
        Tensor decoded =
            new DecodingPasses(2)
                .decode(
                    latents,
                    pass -> {
                      passes.add(pass.toFloats());
                      return pass.to(Device.CPU, DType.F32);
                    })) {
      assertThat(decoded.shape()).containsExactly(5, 1, 1, 2);
      assertThat(decoded.toFloats()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    }

    assertThat(passes)
        .containsExactly(new float[] {0, 1, 2, 3}, new float[] {4, 5, 6, 7}, new float[] {8, 9});
  }

  @Test
  void decodesABatchThatFitsOnePassAsItIs() {
    try (Tensor latents = latents();
        Tensor decoded =
            new DecodingPasses(5)
                .decode(
                    latents,
                    pass -> {
                      assertThat(pass).isSameAs(latents);
                      return pass.to(Device.CPU, DType.F32);
                    })) {
      assertThat(decoded.shape()).containsExactly(5, 1, 1, 2);
    }
  }

  @Test
  void aPassThatFailsFailsTheBatch() {
    try (Tensor latents = latents()) {
      assertThatThrownBy(
              () ->
                  new DecodingPasses(2)
                      .decode(
                          latents,
                          pass -> {
                            if (pass.shape()[0] == 1) {
                              throw new IllegalStateException("the last pass");
                            }
                            return pass.to(Device.CPU, DType.F32);
                          }))
          .hasMessage("the last pass");
    }
  }

  @Test
  void aPassHasAtMostOneMegapixel() {
    assertThat(DecodingPasses.of(1024 * 1024).images()).isEqualTo(1);
    assertThat(DecodingPasses.of(512 * 512).images()).isEqualTo(4);
    assertThat(DecodingPasses.of(2048 * 2048).images()).isEqualTo(1);
    try (Tensor latents = Tensor.of(new float[2 * 64 * 32], 2, 1, 64, 32)) {
      assertThat(DecodingPasses.of(latents, 8).images()).isEqualTo(8);
    }
  }
}
