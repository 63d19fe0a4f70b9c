package io.lightmill.udfs.store;

import java.nio.charset.StandardCharsets;
import java.text.Normalizer;
import java.util.regex.Pattern;
import org.apache.commons.codec.digest.DigestUtils;

/**
 * One name between two slashes, made from unchecked text. Letters, marks and digits of every script
 * and {@code - _ . , + @ ( )} are kept. Everything else, such as separators, spaces, control,
 * formatting and glob characters, is replaced by {@code _}.
 */
public final class PathSegment {

  /** Limit in UTF-8; with an extension, a name fits the 255 bytes of common file systems. */
  static final int MAX_BYTES = 180;

  /** Limit in UTF-8 for one value in a name. */
  static final int MAX_VALUE_BYTES = 120;

  private static final int HASH_DIGITS = 8;

  /** Bytes of a {@code char} in UTF-8, at most. */
  private static final int MOST_CHAR_BYTES = 3;

  private static final Pattern UNSAFE = Pattern.compile("[^\\p{L}\\p{M}\\p{N}\\-_.,+@()]+");
  private static final Pattern DOTS = Pattern.compile("\\.{2,}");
  private static final Pattern OUTER_DOT = Pattern.compile("^\\.|\\.$");

  /** Windows' device names, which are reserved even with an extension. */
  private static final Pattern DEVICE =
      Pattern.compile("(?i)(con|prn|aux|nul|(com|lpt)[0-9¹²³])(\\..*)?");

  private PathSegment() {}

  /** One value as part of a name: safe characters, not empty, of limited length. */
  static String value(String text) {
    return text == null || text.isEmpty() ? "_" : limited(plain(text), text, MAX_VALUE_BYTES);
  }

  /** A complete name: not hidden, not relative, not a device, and of limited length. */
  static String of(String filled) {
    String name = limited(plain(filled), filled, MAX_BYTES);
    return DEVICE.matcher(name).matches() ? "_" + name : name;
  }

  private static String plain(String text) {
    if (isSimple(text)) {
      return text;
    }
    String normal = Normalizer.normalize(text, Normalizer.Form.NFC);
    String noDotDot = DOTS.matcher(normal).replaceAll("/");
    String safe = UNSAFE.matcher(noDotDot).replaceAll("_");
    return OUTER_DOT.matcher(safe).replaceAll("_");
  }

  /** Whether a text consists of ASCII letters, digits, hyphens and underscores, as most ids do. */
  private static boolean isSimple(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean simple =
          (c >= 'a' && c <= 'z')
              || (c >= '0' && c <= '9')
              || (c >= 'A' && c <= 'Z')
              || c == '-'
              || c == '_';
      if (!simple) {
        return false;
      }
    }
    return true;
  }

  /**
   * Truncates a name that is too long and appends a hash, so that different names stay different.
   *
   * @param text that is hashed, from which the name was made
   * @param maxBytes of the result in UTF-8
   */
  public static String limited(String name, String text, int maxBytes) {
    if (name.length() <= maxBytes / MOST_CHAR_BYTES || bytes(name) <= maxBytes) {
      return name;
    }
    String hash = "-" + DigestUtils.sha256Hex(text).substring(0, HASH_DIGITS);
    int end = 0;
    int taken = hash.length();
    while (true) {
      int next = name.offsetByCodePoints(end, 1);
      taken += bytes(name.substring(end, next));
      if (taken > maxBytes) {
        return name.substring(0, end) + hash;
      }
      end = next;
    }
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }
}
