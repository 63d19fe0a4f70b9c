package io.lightmill.jobs;

import io.lightmill.pipeline.LightmillException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import org.apache.spark.SparkUserAppException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;

/**
 * The command line: {@code lightmill generate …}, or the same behind {@code spark-submit --class
 * io.lightmill.jobs.Lightmill}.
 *
 * <p>Exit statuses: 0 all done; 1 unexpected failure; 2 configuration or input refused; 3 finished
 * with more failed and invalid rows than {@code --max-failures}, or with a comparison that fails.
 */
@Command(
    name = "lightmill",
    description = "Turns tables of prompts into images.",
    subcommands = {
      GenerateCommand.class,
      VerifyCommand.class,
      MemoryCommand.class,
      CommandLine.HelpCommand.class
    },
    versionProvider = Versions.class,
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Exit statuses: 0 all done; 1 unexpected failure; 2 configuration or input refused;",
      "3 finished with more failed and invalid rows than --max-failures (generate), or with",
      "comparisons that fail (verify)."
    })
public final class Lightmill {

  private Lightmill() {}

  public static void main(String... arguments) throws SparkUserAppException {
    exit(run(utf8(FileDescriptor.out), utf8(FileDescriptor.err), arguments));
  }

  /** Runs one command and reports its exit status. */
  static int run(PrintWriter out, PrintWriter err, String... arguments) {
    return commandLine().setOut(out).setErr(err).execute(arguments);
  }

  static CommandLine commandLine() {
    FailureMessages failures = new FailureMessages();
    return new CommandLine(new Lightmill())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExpandAtFiles(false) // a prompt may begin with @
        .setUsageHelpAutoWidth(true)
        .setExecutionStrategy(Lightmill::execute)
        .setParameterExceptionHandler(failures)
        .setExecutionExceptionHandler(failures);
  }

  private static int execute(ParseResult commandLine) {
    try {
      return new RunLast().execute(JobFileArguments.complete(commandLine));
    } catch (LightmillException e) {
      throw new ParameterException(commandLine.commandSpec().commandLine(), e.getMessage(), e);
    }
  }

  /**
   * Ends the process. A driver in cluster mode throws instead: its master would take {@code
   * System.exit} for a driver that died early, and would hide the status.
   */
  private static void exit(int status) throws SparkUserAppException {
    if (!"cluster".equals(System.getProperty("spark.submit.deployMode"))) {
      System.exit(status);
    } else if (status != ExitStatus.DONE) {
      throw new SparkUserAppException(status, null);
    }
  }

  /** Java 17 would write the platform's charset, which in a container is often ASCII. */
  private static PrintWriter utf8(FileDescriptor stream) {
    return new PrintWriter(new FileOutputStream(stream), true, StandardCharsets.UTF_8);
  }
}
