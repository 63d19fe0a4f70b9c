package io.lightmill.pipeline.torch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TensorCacheTest {

  private static final long BYTES = 4 * Float.BYTES;

  private static Tensor tensor(float value) {
    return Tensor.of(new float[] {value, 0, 0, 0}, 4);
  }

  private static float first(TensorCache<String, Tensor> cache, String key) {
    try (Tensor found = cache.find(key).orElseThrow()) {
      return found.toFloats()[0];
    }
  }

  @Test
  void theLeastRecentlyUsedIsDropped() {
    try (TensorCache<String, Tensor> cache = new TensorCache<>(2 * BYTES)) {
      cache.keep("a", tensor(1)).close();
      cache.keep("b", tensor(2)).close();
      assertThat(first(cache, "a")).isEqualTo(1);
      cache.keep("c", tensor(3)).close();

      assertThat(cache.find("b")).isEmpty();
      assertThat(first(cache, "a")).isEqualTo(1);
      assertThat(first(cache, "c")).isEqualTo(3);
      assertThat(cache.bytes()).isEqualTo(2 * BYTES);
    }
  }

  @Test
  void aValueIsComputedOnceAndOutlivesTheCache() {
    TensorCache<String, Tensor> cache = new TensorCache<>(BYTES);
    Tensor first = cache.get("a", () -> tensor(1));
    Tensor second =
        cache.get(
            "a",
            () -> {
              throw new AssertionError("it is here");
            });
    first.close();
    cache.close();

    assertThat(cache.bytes()).isZero();
    assertThat(second.toFloats()[0]).isEqualTo(1);
    second.close();
  }

  @Test
  void whatIsTooLargeOrComesTooLateIsTheCallersAlone() {
    TensorCache<String, Tensor> cache = new TensorCache<>(BYTES - 1);
    try (Tensor large = cache.keep("a", tensor(1))) {
      assertThat(cache.find("a")).isEmpty();
      assertThat(large.toFloats()[0]).isEqualTo(1);
    }
    cache.close();
    try (Tensor small = cache.keep("b", Tensor.of(new float[] {2}, 1))) {
      assertThat(cache.find("b")).isEmpty();
      assertThat(small.toFloats()[0]).isEqualTo(2);
    }
  }

  /** Two threads may compute the same value at the same time. */
  @Test
  void aSecondValueOfAKeyTakesThePlaceOfTheFirst() {
    try (TensorCache<String, Tensor> cache = new TensorCache<>(4 * BYTES)) {
      cache.keep("a", tensor(1)).close();
      cache.keep("a", tensor(2)).close();
      assertThat(first(cache, "a")).isEqualTo(2);
      assertThat(cache.bytes()).isEqualTo(BYTES);
    }
  }
}
