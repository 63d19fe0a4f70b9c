package io.lightmill.udfs.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ImageSeedTest {

  /** Computed with Python's hashlib; whoever changes this draws other images. */
  @Test
  void derivedSeedsArePinned() {
    assertThat(ImageSeed.derived(0, "sku-1", 0)).isEqualTo(3542441212L);
    assertThat(ImageSeed.derived(0, "sku-1", 2)).isEqualTo(3542441214L);
    assertThat(ImageSeed.derived(1, "sku-1", 0)).isEqualTo(3003421891L);
  }

  @Test
  void derivedSeedsOfManyVariantsStayApartAndWithin32Bits() {
    assertThat(IntStream.range(0, 1000).mapToLong(v -> ImageSeed.derived(3, "x", v)).boxed())
        .doesNotHaveDuplicates()
        .allSatisfy(seed -> assertThat(seed).isBetween(0L, (1L << 32) - 1));
  }

  @Test
  void givenSeedsCountUpAndWrap() {
    assertThat(ImageSeed.given(5, 0)).isEqualTo(5);
    assertThat(ImageSeed.given(5, 3)).isEqualTo(8);
    assertThat(ImageSeed.given(-1, 1)).isZero();
  }
}
