package io.lightmill.pipeline.policy;

import java.util.Arrays;

/**
 * A word or phrase of a policy.
 *
 * @param text as the policy writes it
 * @param symbols folded; {@code ' '} between words
 * @param openStart whether it may begin inside of a word, written {@code *term}
 * @param openEnd whether it may end inside of a word, written {@code term*}
 * @param exact whether only its plain spelling matches, written {@code =term}
 */
record Term(String text, int[] symbols, boolean openStart, boolean openEnd, boolean exact) {

  static final int MOST_SYMBOLS = 64;

  /**
   * Reads a term.
   *
   * @throws IllegalArgumentException with the reason, if it is not one
   */
  static Term of(String text) {
    String body = text.strip();
    boolean exact = body.startsWith("=");
    body = exact ? body.substring(1) : body;
    boolean openStart = body.startsWith("*");
    body = openStart ? body.substring(1) : body;
    boolean openEnd = body.endsWith("*");
    body = openEnd ? body.substring(0, body.length() - 1) : body;
    if (body.indexOf('*') >= 0) {
      throw new IllegalArgumentException("has a '*' inside; it may only begin or end a term");
    }
    FoldedText folded = FoldedText.of(body.strip());
    int[] symbols = new int[folded.length];
    int size = 0;
    int letters = 0;
    boolean free = false;
    for (int i = 0; i < folded.length; i++) {
      int c = folded.letter[i];
      boolean gap =
          folded.kind[i] == FoldedText.SPACE
              || (folded.kind[i] == FoldedText.SIGN && isJoiner(c) && i > 0);
      if (!gap) {
        symbols[size++] = c;
        letters++;
        free |= folded.kind[i] != FoldedText.LETTER;
      } else if (size > 0 && symbols[size - 1] != ' ') {
        symbols[size++] = ' ';
      }
    }
    if (size > 0 && symbols[size - 1] == ' ') {
      size--;
    }
    if (letters == 0 || (letters == 1 && !free)) {
      throw new IllegalArgumentException("has fewer than two letters; write more of it");
    }
    if (size > MOST_SYMBOLS) {
      throw new IllegalArgumentException(
          "has %d letters and spaces; a term may have %d".formatted(size, MOST_SYMBOLS));
    }
    return new Term(text.strip(), Arrays.copyOf(symbols, size), openStart, openEnd, exact);
  }

  private static boolean isJoiner(int c) {
    return c == '-'
        || c == '/'
        || c == '.'
        || c == '\''
        || c == '\u2019'
        || c == '&'
        || c == '_'
        || c == '\u2010'
        || c == '\u2011';
  }
}
