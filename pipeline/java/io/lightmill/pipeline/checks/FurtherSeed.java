package io.lightmill.pipeline.checks;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.commons.codec.digest.DigestUtils;

/** The seeds of the further images that are drawn for one request. */
final class FurtherSeed {

  private FurtherSeed() {}

  /**
   * The seed of a draw: the request's own for the first, then 32 bits of a hash of that seed and
   * the number of the draw. So it depends on nothing else, and the draws of neighbouring seeds, as
   * the variants of a row have them, do not coincide.
   *
   * @param draw from 0
   */
  static long of(long seed, int draw) {
    if (draw == 0) {
      return seed;
    }
    byte[] digest = DigestUtils.sha256((seed + "\n" + draw).getBytes(StandardCharsets.UTF_8));
    return Integer.toUnsignedLong(ByteBuffer.wrap(digest).getInt());
  }
}
