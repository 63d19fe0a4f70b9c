package io.lightmill.pipeline.policy;

import java.util.Arrays;

/**
 * A text as the symbols that rules match, each with its place in the text. Case, width, style,
 * accents, invisible characters and letters of other scripts that look like ASCII letters make no
 * difference; a run of white space, or of a sign such as a dot, is one symbol. Folding is linear in
 * the length of the text.
 */
final class FoldedText {

  /** What a symbol is. */
  static final byte LETTER = 0;

  /** A letter of a script that writes without spaces between words. */
  static final byte FREE = 1;

  static final byte SPACE = 2;
  static final byte SIGN = 3;

  /** Positions of words count in halves: a letter of a script without spaces is half a word. */
  static final int WORD = 2;

  private static final int CLITICS = 4;

  int[] letter;
  long[] standIns;
  byte[] kind;
  int[] from;
  int[] to;
  boolean[] wordStart;
  boolean[] wordEnd;

  /** Number of the word, sentence and clause of a symbol. */
  int[] word;

  int[] sentence;
  int[] clause;
  int length;

  private FoldedText(int capacity) {
    allocate(Math.max(16, capacity));
  }

  static FoldedText of(String text) {
    FoldedText folded = new FoldedText(text.length() + 8);
    int at = 0;
    while (at < text.length()) {
      int c = text.codePointAt(at);
      int next = at + Character.charCount(c);
      if (c < 0x80 && (c >= ' ' || Character.isWhitespace(c))) {
        folded.add(Folding.ascii(c), at, next);
      } else {
        for (int each : Folding.of(c).letters()) {
          folded.add(each, at, next);
        }
      }
      at = next;
    }
    folded.markWords(text);
    return folded;
  }

  private void add(int c, int start, int end) {
    byte type = Folding.kind(c);
    int symbol = type == SPACE ? ' ' : c;
    boolean joins = type == SPACE || (type == SIGN && !standsForFew(c));
    int last = length - 1;
    if (joins && last >= 0 && kind[last] == type && letter[last] == symbol) {
      to[last] = end;
      return;
    }
    if (length == letter.length) {
      grow();
    }
    letter[length] = symbol;
    standIns[length] = Lookalikes.standIns(c);
    kind[length] = type;
    from[length] = start;
    to[length] = end;
    length++;
  }

  private static boolean standsForFew(int c) {
    long letters = Lookalikes.standIns(c);
    return letters != 0 && letters < 1L << Short.SIZE;
  }

  private void markWords(String text) {
    int number = 0;
    int sentences = 0;
    int clauses = 0;
    for (int i = 0; i < length; i++) {
      byte type = kind[i];
      boolean camel = type == LETTER && isCamel(text, i);
      wordStart[i] = i == 0 || kind[i - 1] != LETTER || type != LETTER || camel;
      if (camel) {
        wordEnd[i] = true;
      }
      if (type == FREE) {
        number++;
      } else if (type == LETTER && (i == 0 || kind[i - 1] != LETTER)) {
        number += WORD;
      }
      word[i] = number;
      sentence[i] = sentences;
      clause[i] = clauses;
      if (Folding.endsClause(letter[i])) {
        clauses++;
        boolean followed = i + 1 < length && kind[i + 1] != SPACE && letter[i] < 0x80;
        if (Folding.endsSentence(letter[i]) && !followed) {
          sentences++;
        }
      }
    }
    markDigits();
    markClitics();
  }

  /** The digits at the end of a word are no part of it, as in {@code mug2}. */
  private void markDigits() {
    boolean digits = true;
    for (int i = length - 1; i >= 0; i--) {
      if (kind[i] != LETTER) {
        digits = true;
      } else {
        digits &= letter[i] >= '0' && letter[i] <= '9';
        wordEnd[i] |= digits;
      }
    }
  }

  /** Words of Arabic and Hebrew begin also after articles, conjunctions and prepositions. */
  private void markClitics() {
    for (int i = 0; i < length; i++) {
      if (kind[i] == LETTER && (i == 0 || kind[i - 1] != LETTER) && Folding.hasClitics(letter[i])) {
        int end = i;
        while (end < length && end - i < CLITICS && Folding.isClitic(letter[end])) {
          end++;
          if (end < length && kind[end] == LETTER) {
            wordStart[end] = true;
          }
        }
      }
    }
  }

  private boolean isCamel(String text, int i) {
    return i > 0
        && kind[i - 1] == LETTER
        && Character.isUpperCase(text.codePointAt(from[i]))
        && Character.isLowerCase(text.codePointAt(from[i - 1]));
  }

  /** Whether a word, or the text, ends before this symbol. */
  boolean endsBefore(int i) {
    return i == length || kind[i] != LETTER || wordEnd[i] || kind[i - 1] == FREE;
  }

  /** The symbols as a text for patterns. */
  String plain() {
    StringBuilder plain = new StringBuilder(length);
    for (int i = 0; i < length; i++) {
      plain.appendCodePoint(letter[i]);
    }
    return plain.toString();
  }

  private void allocate(int capacity) {
    letter = new int[capacity];
    standIns = new long[capacity];
    kind = new byte[capacity];
    from = new int[capacity];
    to = new int[capacity];
    wordStart = new boolean[capacity];
    wordEnd = new boolean[capacity];
    word = new int[capacity];
    sentence = new int[capacity];
    clause = new int[capacity];
  }

  private void grow() { // one character may fold to several letters
    int capacity = letter.length * 2;
    letter = Arrays.copyOf(letter, capacity);
    standIns = Arrays.copyOf(standIns, capacity);
    kind = Arrays.copyOf(kind, capacity);
    from = Arrays.copyOf(from, capacity);
    to = Arrays.copyOf(to, capacity);
    wordStart = new boolean[capacity];
    wordEnd = new boolean[capacity];
    word = new int[capacity];
    sentence = new int[capacity];
    clause = new int[capacity];
  }
}
