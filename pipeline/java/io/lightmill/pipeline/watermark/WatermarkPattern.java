package io.lightmill.pipeline.watermark;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * The pattern of a key: phases of the frequencies of a tile of {@link #SIDE} × {@link #SIDE}
 * pixels, which an image repeats. The frequencies are those that survive halving and JPEG.
 */
final class WatermarkPattern {

  /** Pixels of a tile's side. */
  static final int SIDE = 64;

  /** Of frequencies, in cycles per tile. Halving an image leaves those below 16. */
  private static final double LOWEST = 4;

  private static final double HIGHEST = 13;

  /** Half of the frequencies; the others are their conjugates. */
  private static final List<int[]> FREQUENCIES = frequencies();

  private final double[] cosines = new double[FREQUENCIES.size()];
  private final double[] sines = new double[FREQUENCIES.size()];

  /** The phases are SHA-256 digests of the key and a counter, so that they tell nothing of it. */
  WatermarkPattern(String key) {
    ByteBuffer digest = ByteBuffer.allocate(0);
    for (int i = 0; i < cosines.length; i++) {
      if (!digest.hasRemaining()) {
        String block = "lightmill watermark pattern %d %s".formatted(i, key);
        digest = ByteBuffer.wrap(DigestUtils.sha256(block.getBytes(StandardCharsets.UTF_8)));
      }
      double phase = 2 * Math.PI * Integer.toUnsignedLong(digest.getInt()) / 0x1p32;
      cosines[i] = Math.cos(phase);
      sines[i] = Math.sin(phase);
    }
  }

  static int size() {
    return FREQUENCIES.size();
  }

  /** The index of a frequency in a spectrum. */
  static int index(int i) {
    int[] frequency = FREQUENCIES.get(i);
    return frequency[0] * SIDE + frequency[1];
  }

  /** The index of a frequency's conjugate. */
  static int conjugate(int i) {
    int[] frequency = FREQUENCIES.get(i);
    return (SIDE - frequency[0]) % SIDE * SIDE + (SIDE - frequency[1]) % SIDE;
  }

  double cosine(int i) {
    return cosines[i];
  }

  double sine(int i) {
    return sines[i];
  }

  private static List<int[]> frequencies() {
    List<int[]> all = new ArrayList<>();
    for (int u = 0; u <= SIDE / 2; u++) {
      for (int v = -SIDE / 2 + 1; v < SIDE / 2; v++) {
        double radius = Math.hypot(u, v);
        boolean half = u > 0 || v > 0;
        if (half && radius >= LOWEST && radius <= HIGHEST) {
          all.add(new int[] {u, (v + SIDE) % SIDE});
        }
      }
    }
    return List.copyOf(all);
  }
}
