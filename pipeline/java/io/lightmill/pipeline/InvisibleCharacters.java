package io.lightmill.pipeline;

/**
 * Characters without a visible form: spaces, control and format characters, variation selectors and
 * fillers. Text of nothing else is blank, and messages escape those that change a terminal.
 */
public final class InvisibleCharacters {

  private static final int ZERO_WIDTH_NON_JOINER = 0x200C;
  private static final int ZERO_WIDTH_JOINER = 0x200D;

  private InvisibleCharacters() {}

  /** Whether a text has no visible character. */
  public static boolean isBlank(String text) {
    return text.codePoints().allMatch(InvisibleCharacters::invisible);
  }

  /** The text without invisible characters at its ends. */
  public static String stripped(String text) {
    int start = 0;
    int end = text.length();
    while (start < end && invisible(text.codePointAt(start))) {
      start += Character.charCount(text.codePointAt(start));
    }
    while (start < end && invisible(text.codePointBefore(end))) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    return text.substring(start, end);
  }

  /**
   * The text as one line that a terminal shows as it is: control characters, line ends, characters
   * that change the direction of writing and other format characters are written as {@code \u001b}.
   * The joiners of emoji and of Indic and Arabic scripts are kept.
   */
  public static String escaped(String text) {
    int first = 0;
    while (first < text.length() && !harmful(text.codePointAt(first))) {
      first += Character.charCount(text.codePointAt(first));
    }
    if (first == text.length()) {
      return text;
    }
    StringBuilder escaped = new StringBuilder(text.substring(0, first));
    text.substring(first).codePoints().forEach(c -> append(escaped, c));
    return escaped.toString();
  }

  private static void append(StringBuilder escaped, int c) {
    if (!harmful(c)) {
      escaped.appendCodePoint(c);
    } else if (c == '\n') {
      escaped.append("\\n");
    } else if (c == '\r') {
      escaped.append("\\r");
    } else if (c == '\t') {
      escaped.append("\\t");
    } else {
      escaped.append(String.format(c > 0xFFFF ? "\\U%08x" : "\\u%04x", c));
    }
  }

  private static boolean harmful(int c) {
    if (c >= ' ' && c < 0x7F) {
      return false;
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE ->
          true;
      case Character.FORMAT -> c != ZERO_WIDTH_JOINER && c != ZERO_WIDTH_NON_JOINER;
      default -> false;
    };
  }

  private static boolean invisible(int c) {
    if (c > ' ' && c < 0x7F) {
      return false;
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SPACE_SEPARATOR,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE ->
          true;
      default -> filler(c);
    };
  }

  /**
   * Letters, marks and symbols that Unicode lets renderers leave out, and the blank Braille cell.
   */
  private static boolean filler(int c) {
    return c == 0x034F
        || c == 0x115F
        || c == 0x1160
        || c == 0x17B4
        || c == 0x17B5
        || (c >= 0x180B && c <= 0x180F)
        || c == 0x2800
        || c == 0x3164
        || (c >= 0xFE00 && c <= 0xFE0F)
        || c == 0xFFA0
        || (c >= 0xE0100 && c <= 0xE01EF);
  }
}
