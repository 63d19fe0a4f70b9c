package io.lightmill.jobs;

import java.io.PrintWriter;
import java.util.Map;
import picocli.CommandLine.Help.Ansi;

/** A standard stream that may be a terminal, which Java cannot tell: the launcher says so. */
enum Terminal {
  OUT("LIGHTMILL_TERMINAL_OUT"),
  ERROR("LIGHTMILL_TERMINAL");

  /** See https://no-color.org. */
  private static final String NO_COLOR = "NO_COLOR";

  private static final String RESET = "\u001b[0m";

  private final String variable;

  Terminal(String variable) {
    this.variable = variable;
  }

  /** Whether the stream takes control characters. */
  boolean isOn() {
    return isOn(System.getenv());
  }

  boolean isOn(Map<String, String> environment) {
    return "1".equals(environment.get(variable));
  }

  /** Whether text on the stream is coloured. */
  boolean isColoured(Map<String, String> environment) {
    return isOn(environment) && environment.getOrDefault(NO_COLOR, "").isEmpty();
  }

  Ansi ansi() {
    return isColoured(System.getenv()) ? Ansi.ON : Ansi.OFF;
  }

  /** Prints a line that begins with a word in bold red, or in bold yellow. */
  void println(PrintWriter stream, Ansi ansi, Colour colour, String word, String rest) {
    if (ansi == Ansi.ON) {
      stream.print(colour.start + word + RESET);
    } else {
      stream.print(word);
    }
    stream.println(rest);
  }

  /** Colours of first words. */
  enum Colour {
    RED("\u001b[1;31m"),
    YELLOW("\u001b[1;33m");

    private final String start;

    Colour(String start) {
      this.start = start;
    }
  }
}
