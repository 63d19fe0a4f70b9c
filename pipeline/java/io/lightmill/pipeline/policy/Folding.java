package io.lightmill.pipeline.policy;

import java.text.Normalizer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How one character folds. The letters of a character are its compatibility decomposition (NFKD) in
 * lower case, without the marks of Latin, Greek, Cyrillic, Arabic and Hebrew letters, each read as
 * the ASCII letter that it looks like. The vowel signs of other scripts are letters.
 */
final class Folding {

  private static final int KANA_VOICED = 0x3099;
  private static final int KANA_SEMI_VOICED = 0x309A;
  private static final int SQUARED_A = 0x1F170;
  private static final int CIRCLED_A = 0x1F150;
  private static final int REGIONAL_A = 0x1F1E6;
  private static final int LETTERS = 26;

  /** Letters that NFKD leaves as they are. */
  private static final Map<Integer, String> WRITTEN_OUT =
      Map.ofEntries(
          Map.entry((int) 'ß', "ss"),
          Map.entry((int) 'æ', "ae"),
          Map.entry((int) 'œ', "oe"),
          Map.entry((int) 'þ', "th"),
          Map.entry((int) 'ð', "d"),
          // Arabic letters of which texts use either.
          Map.entry((int) 'ى', "ي"),
          Map.entry((int) 'ی', "ي"),
          Map.entry((int) 'ک', "ك"),
          Map.entry((int) 'ة', "ه"));

  private static final Map<Integer, Fold> KNOWN = new ConcurrentHashMap<>();

  private Folding() {}

  /** The letters of one character; none if it is invisible or a mark. */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares folds
  record Fold(int[] letters) {}

  static Fold of(int c) {
    Fold known = KNOWN.get(c);
    if (known == null) {
      known = new Fold(fold(c));
      KNOWN.put(c, known);
    }
    return known;
  }

  static int ascii(int c) {
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
  }

  private static int[] fold(int c) {
    if (isHangul(c)) {
      return new int[] {c};
    }
    int letter = enclosed(c);
    if (letter >= 0) {
      return new int[] {letter};
    }
    if (isInvisible(c)) {
      return new int[0];
    }
    String decomposed =
        Normalizer.normalize(
            new String(Character.toChars(Character.toLowerCase(c))), Normalizer.Form.NFKD);
    StringBuilder folded = new StringBuilder();
    decomposed
        .codePoints()
        .filter(each -> !isInvisible(each) && !isMark(each))
        .map(Character::toLowerCase)
        .forEach(
            each -> {
              String written = WRITTEN_OUT.get(each);
              if (written == null) {
                folded.appendCodePoint(Lookalikes.letter(each));
              } else {
                folded.append(written);
              }
            });
    return folded.codePoints().toArray();
  }

  /** Of letters in a circle, a square or a flag, which have no decomposition. */
  private static int enclosed(int c) {
    for (int first : new int[] {SQUARED_A, CIRCLED_A, REGIONAL_A}) {
      if (c >= first && c < first + LETTERS) {
        return 'a' + c - first;
      }
    }
    return -1;
  }

  private static boolean isHangul(int c) {
    return c >= 0xAC00 && c <= 0xD7A3;
  }

  /** A mark that changes how a letter of an alphabet is read, and not which it is. */
  private static boolean isMark(int c) {
    int type = Character.getType(c);
    if (type != Character.NON_SPACING_MARK && type != Character.ENCLOSING_MARK) {
      return false;
    }
    return switch (Character.UnicodeScript.of(c)) {
      case INHERITED -> c != KANA_VOICED && c != KANA_SEMI_VOICED;
      case LATIN, GREEK, CYRILLIC, ARABIC, HEBREW -> true;
      default -> false;
    };
  }

  private static boolean isInvisible(int c) {
    return switch (Character.getType(c)) {
      case Character.FORMAT, Character.SURROGATE, Character.UNASSIGNED, Character.PRIVATE_USE ->
          true;
      case Character.CONTROL -> !Character.isWhitespace(c);
      default ->
          c == 0x0640 // the Arabic stroke that stretches words
              || c == 0x034F
              || c == 0x115F
              || c == 0x1160
              || c == 0x2800
              || c == 0x3164
              || c == 0xFFA0
              || (c >= 0x180B && c <= 0x180F)
              || (c >= 0xFE00 && c <= 0xFE0F)
              || (c >= 0xE0100 && c <= 0xE01EF);
    };
  }

  static byte kind(int c) {
    if (c < 0x80) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
          ? FoldedText.LETTER
          : c == ' ' || Character.isWhitespace(c) ? FoldedText.SPACE : FoldedText.SIGN;
    }
    if (Character.isLetterOrDigit(c) || isPartOfWord(c)) {
      return switch (Character.UnicodeScript.of(c)) {
        case HAN, HIRAGANA, KATAKANA, BOPOMOFO, THAI, LAO, KHMER, MYANMAR -> FoldedText.FREE;
        default ->
            c == KANA_VOICED || c == KANA_SEMI_VOICED || c == 'ー'
                ? FoldedText.FREE
                : FoldedText.LETTER;
      };
    }
    return Character.isSpaceChar(c) || Character.isWhitespace(c)
        ? FoldedText.SPACE
        : FoldedText.SIGN;
  }

  private static boolean isPartOfWord(int c) {
    int type = Character.getType(c);
    return type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK;
  }

  /** Signs between two statements, of which the first may deny something. */
  static boolean endsClause(int c) {
    return switch (c) {
      case '.',
          ',',
          ';',
          ':',
          '!',
          '?',
          '(',
          ')',
          '[',
          ']',
          '\u2014',
          '。',
          '，',
          '、',
          '！',
          '？',
          '；',
          '،',
          '؛',
          '؟' ->
          true;
      default -> false;
    };
  }

  static boolean endsSentence(int c) {
    return c == '.' || c == '!' || c == '?' || c == '。' || c == '！' || c == '？' || c == '؟';
  }

  /** Signs that may be put between the letters of a word to hide it. */
  static boolean splits(int c) {
    return switch (c) {
      case '.',
          '-',
          '_',
          '*',
          '~',
          '^',
          '=',
          '+',
          '|',
          '#',
          '•',
          '·',
          '‧',
          '∙',
          '‐',
          '‑',
          '–',
          '—' ->
          true;
      default -> c >= 0x80 && Character.getType(c) == Character.OTHER_SYMBOL;
    };
  }

  static boolean hasClitics(int c) {
    Character.UnicodeScript script = c < 0x590 ? null : Character.UnicodeScript.of(c);
    return script == Character.UnicodeScript.ARABIC || script == Character.UnicodeScript.HEBREW;
  }

  static boolean isClitic(int c) {
    return "والبكفل\u05D4\u05D5\u05D1\u05DC\u05DE\u05E9\u05DB".indexOf(c) >= 0;
  }

  static boolean isVowel(int c) {
    return c == 'a' || c == 'e' || c == 'i' || c == 'o' || c == 'u' || c == 'y';
  }
}
