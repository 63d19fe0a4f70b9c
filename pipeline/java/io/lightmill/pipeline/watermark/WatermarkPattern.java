package io.lightmill.pipeline.watermark;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * The pattern of a key: phases of frequencies of a tile, which an image repeats. The frequencies
 * are those that survive halving and JPEG.
 */
final class WatermarkPattern {

  /**
   * Of frequencies, in cycles per tile. Halving an image leaves those below 16; JPEG at quality 85
   * after that leaves those below about 10.
   */
  private static final int LOWEST = 4;

  static final int HIGHEST = 10;

  /** Half of the frequencies, along y and x; the others are their conjugates. */
  private static final List<int[]> FREQUENCIES = frequencies();

  private final float[] cosines = new float[FREQUENCIES.size()];
  private final float[] sines = new float[FREQUENCIES.size()];

  /** The phases are SHA-256 digests of the key and a counter, so that they do not reveal it. */
  WatermarkPattern(String key) {
    ByteBuffer digest = ByteBuffer.allocate(0);
    for (int i = 0; i < cosines.length; i++) {
      if (!digest.hasRemaining()) {
        String block = "lightmill watermark pattern %d %s".formatted(i, key);
        digest = ByteBuffer.wrap(DigestUtils.sha256(block.getBytes(StandardCharsets.UTF_8)));
      }
      double phase = 2 * Math.PI * Integer.toUnsignedLong(digest.getInt()) / 0x1p32;
      cosines[i] = (float) Math.cos(phase);
      sines[i] = (float) Math.sin(phase);
    }
  }

  static int size() {
    return FREQUENCIES.size();
  }

  /** Cycles per tile along y. */
  static int u(int i) {
    return FREQUENCIES.get(i)[0];
  }

  /** Cycles per tile along x. */
  static int v(int i) {
    return FREQUENCIES.get(i)[1];
  }

  /** The index of a frequency in a spectrum. */
  static int index(int i) {
    return TileSpectrum.index(u(i), v(i));
  }

  float cosine(int i) {
    return cosines[i];
  }

  float sine(int i) {
    return sines[i];
  }

  private static List<int[]> frequencies() {
    List<int[]> all = new ArrayList<>();
    for (int v = 0; v <= HIGHEST; v++) {
      for (int u = -HIGHEST; u <= HIGHEST; u++) {
        int square = u * u + v * v;
        boolean half = v > 0 || u > 0;
        if (half && square >= LOWEST * LOWEST && square <= HIGHEST * HIGHEST) {
          all.add(new int[] {u, v});
        }
      }
    }
    return List.copyOf(all);
  }
}
