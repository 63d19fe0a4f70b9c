package io.lightmill.udfs.plan;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.commons.codec.digest.DigestUtils;

/** The seeds of the images of a row. */
final class ImageSeed {

  private ImageSeed() {}

  /**
   * The seed of one variant of a row without a seed: a 32-bit hash of the job's seed and the row's
   * id, plus the variant. PyTorch seeds its CPU generator, a Mersenne Twister, with the low 32 bits
   * of the argument of {@code manual_seed} (MT19937RNGEngine.h). So different derived seeds give
   * different noise, and the variants of a row always have different seeds.
   */
  static long derived(long jobSeed, String id, int variant) {
    byte[] digest = DigestUtils.sha256((jobSeed + "\n" + id).getBytes(StandardCharsets.UTF_8));
    return Integer.toUnsignedLong(ByteBuffer.wrap(digest).getInt() + variant);
  }

  /** The seed of one variant of a row with a seed. Seeds beyond 63 bits wrap, as in PyTorch. */
  static long given(long seed, int variant) {
    return seed + variant;
  }
}
