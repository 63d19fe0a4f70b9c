package io.lightmill.pipeline.c2pa;

import java.security.MessageDigest;
import org.apache.commons.codec.digest.DigestUtils;

/** The hash of a file without its manifest. */
final class ContentHash {

  private ContentHash() {}

  /**
   * SHA-256 of a file without one range.
   *
   * @param start of the range
   * @param length of the range; it ends within the file
   */
  static byte[] sha256(byte[] file, int start, int length) {
    MessageDigest digest = DigestUtils.getSha256Digest();
    digest.update(file, 0, start);
    digest.update(file, start + length, file.length - start - length);
    return digest.digest();
  }
}
