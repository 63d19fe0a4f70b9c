package io.lightmill.udfs.plan;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.commons.codec.digest.DigestUtils;

/** Where the seeds of rows without one come from. */
final class ImageSeed {

  private ImageSeed() {}

  /**
   * The seed of one variant: 32 bits that depend on the job's seed and the row's id, plus the
   * variant. It has 32 bits since PyTorch's CPU generator, a Mersenne Twister, is seeded with the
   * low 32 bits of what {@code manual_seed} is given (MT19937RNGEngine.h); so different derived
   * seeds are different noise, and the variants of a row never meet.
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
