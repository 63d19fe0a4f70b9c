package io.lightmill.jobs;

import io.lightmill.pipeline.LightmillException;
import java.io.PrintWriter;
import java.util.Optional;
import org.apache.commons.lang3.exception.ExceptionUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/** Says in one sentence what stopped a command; the stack trace of a surprise goes to the log. */
final class FailureMessages implements IParameterExceptionHandler, IExecutionExceptionHandler {

  private static final Logger LOG = LoggerFactory.getLogger(FailureMessages.class);

  @Override
  public int handleParseException(ParameterException refusal, String[] arguments) {
    CommandLine command = refusal.getCommandLine();
    PrintWriter err = command.getErr();
    say(err, refusal.getMessage());
    UnmatchedArgumentException.printSuggestions(refusal, err);
    err.printf("Try '%s --help'.%n", command.getCommandSpec().qualifiedName());
    err.flush();
    return ExitStatus.REFUSED;
  }

  @Override
  public int handleExecutionException(Exception failure, CommandLine command, ParseResult parsed) {
    // What a task refused arrives inside Spark's own exceptions.
    Optional<LightmillException> known =
        ExceptionUtils.getThrowableList(failure).stream()
            .filter(LightmillException.class::isInstance)
            .map(LightmillException.class::cast)
            .findFirst();
    int status = known.map(e -> ExitStatus.of(e.code())).orElse(ExitStatus.UNEXPECTED);
    if (status == ExitStatus.UNEXPECTED) {
      LOG.error("{} failed", command.getCommandSpec().qualifiedName(), failure);
    }
    say(command.getErr(), known.map(Throwable::getMessage).orElseGet(() -> surprise(failure)));
    return status;
  }

  private static String surprise(Exception failure) {
    String firstLine = String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
    return "Unexpected failure: %s: %s (the log has the stack trace)."
        .formatted(failure.getClass().getSimpleName(), firstLine);
  }

  private static void say(PrintWriter err, String sentence) {
    err.println("lightmill: " + sentence);
    err.flush();
  }
}
