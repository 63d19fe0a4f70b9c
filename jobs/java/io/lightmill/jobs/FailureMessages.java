package io.lightmill.jobs;

import io.lightmill.pipeline.LightmillException;
import java.io.PrintWriter;
import java.util.Optional;
import org.apache.commons.lang3.StringUtils;
import org.apache.commons.lang3.exception.ExceptionUtils;
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
    print(err, StringUtils.uncapitalize(refusal.getMessage()));
    UnmatchedArgumentException.printSuggestions(refusal, err);
    err.printf("Try '%s --help'.%n", command.getCommandSpec().qualifiedName());
    err.flush();
    return ExitStatus.REFUSED;
  }

  @Override
  public int handleExecutionException(Exception failure, CommandLine command, ParseResult parsed) {
    // An error of a task arrives as a cause of Spark's exceptions.
    Optional<LightmillException> known =
        ExceptionUtils.getThrowableList(failure).stream()
            .filter(LightmillException.class::isInstance)
            .map(LightmillException.class::cast)
            .findFirst();
    int status = known.map(e -> ExitStatus.of(e.code())).orElse(ExitStatus.UNEXPECTED);
    if (status == ExitStatus.UNEXPECTED) {
      LOG.error("{} failed", command.getCommandSpec().qualifiedName(), failure);
    }
    print(command.getErr(), known.map(Throwable::getMessage).orElseGet(() -> unexpected(failure)));
    return status;
  }

  private static String unexpected(Exception failure) {
    String firstLine = String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
    return "unexpected failure: %s: %s (the log has the stack trace)"
        .formatted(failure.getClass().getSimpleName(), firstLine);
  }

  private static void print(PrintWriter err, String sentence) {
    err.println("lightmill: " + sentence);
    err.flush();
  }
}
