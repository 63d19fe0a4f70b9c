package io.lightmill.jobs;

import java.io.PrintWriter;
import java.io.Writer;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/** How much a command prints on standard error, by {@code -q} and {@code -v}. */
enum Verbosity {
  /** Errors only. */
  QUIET,
  /** What happens, and a progress bar. */
  NORMAL,
  /** Also Lightmill's own log, and the stack traces of errors. */
  VERBOSE;

  static final String QUIET_OPTION = "--quiet";
  static final String VERBOSE_OPTION = "--verbose";

  private static final String OWN_LOGGERS = "io.lightmill";

  /** Of a command whose command line was parsed; verbose wins. */
  static Verbosity of(CommandSpec command) {
    return of(command.commandLine());
  }

  static Verbosity of(CommandLine command) {
    ParseResult line = command.getParseResult();
    if (line == null) {
      return NORMAL;
    }
    if (line.hasMatchedOption(VERBOSE_OPTION)) {
      return VERBOSE;
    }
    return line.hasMatchedOption(QUIET_OPTION) ? QUIET : NORMAL;
  }

  /** Where a command prints what happens. */
  PrintWriter progress(PrintWriter err) {
    return this == QUIET ? new PrintWriter(Writer.nullWriter()) : err;
  }

  /** Sets the levels of the loggers of this process. */
  void apply() {
    switch (this) {
      case QUIET -> Configurator.setRootLevel(Level.ERROR);
      case VERBOSE -> Configurator.setLevel(OWN_LOGGERS, Level.DEBUG);
      case NORMAL -> {
        // as configured
      }
    }
  }
}
