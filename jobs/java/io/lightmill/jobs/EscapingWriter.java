package io.lightmill.jobs;

import io.lightmill.pipeline.InvisibleCharacters;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Prints lines of text that may quote prompts, names and paths: control characters are escaped, so
 * that no quoted text moves the cursor, changes colours or hides a line. {@link #print(String)} and
 * {@code write} print as they are, for progress bars and usage texts.
 */
final class EscapingWriter extends PrintWriter {

  EscapingWriter(PrintWriter out) {
    super(out, true);
  }

  @Override
  public void println(String lines) {
    super.println(escaped(lines));
  }

  @Override
  public void println(Object lines) {
    println(String.valueOf(lines));
  }

  @Override
  public PrintWriter format(String format, Object... values) {
    return format(Locale.getDefault(Locale.Category.FORMAT), format, values);
  }

  /** A quoted value is one line; the format itself may have several. */
  @Override
  public PrintWriter format(Locale locale, String format, Object... values) {
    Object[] escaped =
        Arrays.stream(values)
            .map(value -> value instanceof String text ? InvisibleCharacters.escaped(text) : value)
            .toArray();
    return super.format(locale, format, escaped);
  }

  private static String escaped(String lines) {
    return Arrays.stream(String.valueOf(lines).split("\\R", -1))
        .map(InvisibleCharacters::escaped)
        .collect(Collectors.joining(System.lineSeparator()));
  }
}
