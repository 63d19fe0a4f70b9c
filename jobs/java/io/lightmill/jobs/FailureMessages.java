package io.lightmill.jobs;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.report.RunReport;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.Optional;
import org.apache.commons.lang3.StringUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Prints a failure as one sentence; the stack trace of an unexpected one goes to the log. */
final class FailureMessages implements IParameterExceptionHandler, IExecutionExceptionHandler {

  private static final Logger LOG = LoggerFactory.getLogger(FailureMessages.class);

  @Override
  public int handleParseException(ParameterException refusal, String[] arguments) {
    CommandLine command = refusal.getCommandLine();
    PrintWriter err = command.getErr();
    String sentence = StringUtils.uncapitalize(refusal.getMessage());
    print(err, sentence);
    UnmatchedArgumentException.printSuggestions(refusal, err);
    err.printf("Try '%s --help'.%n", command.getCommandSpec().qualifiedName());
    err.flush();
    SummaryFile.named(arguments, command.getOut(), err)
        .forEach(
            file -> {
              Instant now = Instant.now();
              LightmillException refused =
                  new LightmillException(ErrorCode.CONFIGURATION_INVALID, sentence);
              file.write(
                  RunReport.failed(
                      GenerationOptions.EMPTY, now, now, Optional.of(refused), sentence));
            });
    return ExitStatus.REFUSED;
  }

  @Override
  public int handleExecutionException(Exception exception, CommandLine command, ParseResult line) {
    Failure failure = Failure.of(exception);
    if (failure.known().isEmpty() || Verbosity.of(command) == Verbosity.VERBOSE) {
      LOG.error("{} failed", command.getCommandSpec().qualifiedName(), exception);
    }
    print(command.getErr(), failure.message());
    return failure.status();
  }

  private static void print(PrintWriter err, String sentence) {
    Terminal.ERROR.println(
        err, Terminal.ERROR.ansi(), Terminal.Colour.RED, "lightmill:", " " + sentence);
    err.flush();
  }
}
