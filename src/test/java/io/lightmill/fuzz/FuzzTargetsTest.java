package io.lightmill.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every target holds for its seeds and for a few inputs near them, always the same ones. */
class FuzzTargetsTest {

  private static final int NEAR = 30;

  static Stream<String> targets() {
    return new TreeSet<>(FuzzTarget.ALL.keySet()).stream();
  }

  @ParameterizedTest
  @MethodSource("targets")
  void seedsAndWhatIsNearThemKeepTheProperties(String name) {
    FuzzTarget target = FuzzTarget.named(name);
    List<byte[]> seeds = target.seeds();
    assertThat(seeds).isNotEmpty();
    assertThat(seeds.stream().mapToInt(seed -> seed.length).sum()).isLessThan(100_000);
    Random random = new Random(1);
    for (byte[] seed : seeds) {
      run(target, seed);
      for (int i = 0; i < NEAR; i++) {
        run(target, near(seed, random));
      }
    }
    run(target, new byte[0]);
  }

  private static void run(FuzzTarget target, byte[] input) {
    assertThatCode(() -> target.run(input))
        .as(() -> "input " + HexFormat.of().formatHex(input))
        .doesNotThrowAnyException();
  }

  private static byte[] near(byte[] seed, Random random) {
    byte[] near = seed.clone();
    for (int i = random.nextInt(3); i >= 0 && near.length > 0; i--) {
      near[random.nextInt(near.length)] = (byte) random.nextInt(256);
    }
    boolean cut = random.nextInt(4) == 0;
    return cut ? Arrays.copyOf(near, random.nextInt(near.length + 1)) : near;
  }
}
