package io.lightmill.udfs.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import org.apache.commons.text.StringEscapeUtils;

/** Values as the pages of a run show them. */
final class PageText {

  private static final int MAX_TEXT = 600;

  private PageText() {}

  /** Any text as the content or the attribute of an element; long texts are cut. */
  static String text(String value) {
    return StringEscapeUtils.escapeXml10(cut(value, MAX_TEXT));
  }

  /** At most so many characters, and an ellipsis where some are missing. */
  static String cut(String value, int most) {
    boolean whole = value.length() <= most || value.codePointCount(0, value.length()) <= most;
    return whole ? value : value.substring(0, value.offsetByCodePoints(0, most)) + "…";
  }

  static String number(long value) {
    return String.format(Locale.US, "%,d", value);
  }

  /** A rate or a duration with as many digits as one reads. */
  static String number(double value) {
    return String.format(Locale.US, value >= 100 ? "%,.0f" : value >= 10 ? "%.1f" : "%.2f", value);
  }

  static String duration(Duration duration) {
    String seconds = duration.toSecondsPart() + " s";
    String minutes = duration.toMinutesPart() + " min ";
    if (duration.toHours() > 0) {
      return duration.toHours() + " h " + minutes.strip();
    }
    return duration.toMinutes() > 0 ? minutes + seconds : seconds;
  }

  /** A part of a page that ships. */
  static String resource(String name) {
    try (InputStream in = PageText.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
