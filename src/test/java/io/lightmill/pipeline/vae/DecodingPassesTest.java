package io.lightmill.pipeline.vae;

import static org.assertj.core.api.Assertions.assertThat;

import io.lightmill.pipeline.torch.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DecodingPassesTest {

  @Test
  void largeBatchesAreDecodedInPassesAndInOrder() {
    List<Long> passes = new ArrayList<>();
    try (Tensor latents = Tensor.of(new float[] {1, 2, 3}, 3, 1, 1, 1);
        Tensor decoded =
            new DecodingPasses(2)
                .decode(
                    latents,
                    pass -> {
                      passes.add(pass.shape()[0]);
                      return Tensor.cat(List.of(pass));
                    })) {
      assertThat(decoded.toFloats()).containsExactly(1, 2, 3);
    }
    assertThat(passes).containsExactly(2L, 1L);
  }

  @Test
  void aPassHoldsAboutAMillionPixelsAndAtLeastOneImage() {
    assertThat(DecodingPasses.of(512 * 512).images()).isEqualTo(4);
    assertThat(DecodingPasses.of(1024 * 1024).images()).isEqualTo(1);
    assertThat(DecodingPasses.of(2048 * 2048).images()).isEqualTo(1);
  }
}
