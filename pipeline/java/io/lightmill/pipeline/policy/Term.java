package io.lightmill.pipeline.policy;

import java.util.Arrays;
import java.util.StringTokenizer;

/**
 * A word or phrase of a policy.
 *
 * @param text as the policy writes it
 * @param symbols folded; {@code ' '} between words, and {@link #TAIL} before it where the word may
 *     have any ending, written {@code word* word}
 * @param openStart whether it may begin inside of a word, written {@code *term}
 * @param openEnd whether it may end inside of a word, written {@code term*}
 * @param exact whether only its plain spelling matches, written {@code =term}
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares terms
record Term(String text, int[] symbols, boolean openStart, boolean openEnd, boolean exact) {

  static final int MOST_SYMBOLS = 64;

  /** Stands for any letters at the end of a word. */
  static final int TAIL = 1;

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
    Symbols symbols = new Symbols();
    StringTokenizer words = new StringTokenizer(body);
    while (words.hasMoreTokens()) {
      String word = words.nextToken();
      boolean tail = word.endsWith("*");
      String plain = tail ? word.substring(0, word.length() - 1) : word;
      if (plain.indexOf('*') >= 0) {
        throw new IllegalArgumentException(
            "has a '*' inside of a word; it may begin a term, or end a word");
      }
      symbols.addWord(plain);
      if (tail) {
        symbols.add(TAIL);
      }
    }
    return new Term(text.strip(), symbols.ended(openEnd), openStart, openEnd, exact);
  }

  /** Collects the symbols of a term. */
  private static final class Symbols {

    private int[] all = new int[MOST_SYMBOLS + 2];
    private int size;
    private int letters;
    private boolean ofLetters = true;

    void addWord(String word) {
      FoldedText folded = FoldedText.of(word);
      gap();
      for (int i = 0; i < folded.length; i++) {
        if (folded.kind[i] == FoldedText.SPACE
            || (folded.kind[i] == FoldedText.SIGN && isJoiner(folded.letter[i]))) {
          gap();
        } else {
          ofLetters &= folded.kind[i] == FoldedText.LETTER;
          letters++;
          add(folded.letter[i]);
        }
      }
    }

    private void gap() {
      if (size > 0 && all[size - 1] != ' ') {
        add(' ');
      }
    }

    void add(int symbol) {
      if (size > MOST_SYMBOLS) {
        throw new IllegalArgumentException(
            "has more than %d letters and spaces; shorten it".formatted(MOST_SYMBOLS));
      }
      all[size++] = symbol;
    }

    int[] ended(boolean openEnd) {
      int end = size - (openEnd && size > 0 && all[size - 1] == TAIL ? 1 : 0);
      while (end > 0 && all[end - 1] == ' ') {
        end--;
      }
      if (letters == 0 || (letters == 1 && ofLetters)) {
        throw new IllegalArgumentException("has fewer than two letters; write more of it");
      }
      return Arrays.copyOf(all, end);
    }
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
