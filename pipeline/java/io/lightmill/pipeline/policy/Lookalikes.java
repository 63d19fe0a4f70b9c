package io.lightmill.pipeline.policy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/**
 * Characters that are read as ASCII letters, from {@code policy/lookalikes.txt}: always, as the
 * Cyrillic о, or only inside of a term, as the digit 0.
 */
final class Lookalikes {

  /** An array of ASCII letters packed into a long, the first in the low byte; 0 for none. */
  private static final int LETTER_BITS = 8;

  private static final String SOURCE = "/policy/lookalikes.txt";
  private static final Map<Integer, Integer> LETTERS = new HashMap<>();
  private static final Map<Integer, Long> STAND_INS = new HashMap<>();
  private static final long[] OF_ASCII = new long[0x80];

  static {
    try (BufferedReader in =
        new BufferedReader(
            new InputStreamReader(
                Lookalikes.class.getResourceAsStream(SOURCE), StandardCharsets.UTF_8))) {
      in.lines().filter(line -> !line.startsWith("# ")).forEach(Lookalikes::add);
      STAND_INS.forEach(
          (c, letters) -> {
            if (c < OF_ASCII.length) {
              OF_ASCII[c] = letters;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Lookalikes() {}

  private static void add(String line) {
    boolean standsIn = line.charAt(0) == '~';
    int letter = line.charAt(standsIn ? 1 : 0);
    line.substring(line.indexOf(' ') + 1)
        .codePoints()
        .forEach(
            c -> {
              if (standsIn) {
                STAND_INS.merge(c, (long) letter, (all, one) -> all << LETTER_BITS | one);
              } else {
                LETTERS.put(c, letter);
              }
            });
  }

  /** The ASCII letter that a lower-case letter looks like, or the letter itself. */
  static int letter(int c) {
    return LETTERS.getOrDefault(c, c);
  }

  /** The letters that a character may stand for, one in each byte; 0 for none. */
  static long standIns(int c) {
    return c < OF_ASCII.length ? OF_ASCII[c] : STAND_INS.getOrDefault(c, 0L);
  }
}
