package io.lightmill.jobs;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.apache.spark.SparkUserAppException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;

/**
 * The command line: {@code lightmill generate …}, or the same behind {@code spark-submit --class
 * io.lightmill.jobs.Lightmill}.
 *
 * <p>{@link ExitStatus} lists the exit statuses.
 */
@Command(
    name = "lightmill",
    description = "Turns tables of prompts into images.",
    versionProvider = Versions.class,
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Exit statuses: 0 success; 1 unexpected failure; 2 invalid configuration or",
      "input; 3 more failed and invalid rows than --max-failures allows (generate),",
      "or comparisons that fail (verify, inspect); 4 stopped by the deadline or by",
      "SIGTERM (generate); 75 another run uses the output, or its store is",
      "unavailable (generate)."
    })
public final class Lightmill {

  @Option(
      names = {"-q", Verbosity.QUIET_OPTION},
      scope = ScopeType.INHERIT,
      description = "Print results and errors only.")
  @SuppressWarnings("UnusedVariable") // read by Verbosity from the command line
  private boolean quiet;

  @Option(
      names = {"-v", Verbosity.VERBOSE_OPTION},
      scope = ScopeType.INHERIT,
      description = "Also print Lightmill's log, and stack traces of errors.")
  @SuppressWarnings("UnusedVariable") // as above
  private boolean verbose;

  private Lightmill() {}

  private static int execute(ParseResult line) {
    ParseResult command = line;
    while (command.hasSubcommand()) {
      command = command.subcommand();
    }
    Verbosity.of(command.commandSpec()).apply();
    return new CommandLine.RunLast().execute(line);
  }

  public static void main(String... arguments) throws SparkUserAppException {
    Instant started = Instant.ofEpochMilli(ManagementFactory.getRuntimeMXBean().getStartTime());
    CommandLine command = commandLine(started);
    exit(
        command
            .setOut(new EscapingWriter(utf8(FileDescriptor.out)))
            .setErr(new EscapingWriter(utf8(FileDescriptor.err)))
            .execute(arguments));
  }

  /** Runs one command and reports its exit status. */
  static int run(PrintWriter out, PrintWriter err, String... arguments) {
    return commandLine(Instant.now())
        .setOut(new EscapingWriter(out))
        .setErr(new EscapingWriter(err))
        .execute(arguments);
  }

  /**
   * @param started when the process started
   */
  static CommandLine commandLine(Instant started) {
    FailureMessages failures = new FailureMessages();
    return new CommandLine(new Lightmill())
        .addSubcommand(GenerateCommand.commandLine(started))
        .addSubcommand(PlanCommand.commandLine())
        .addSubcommand(PreviewCommand.commandLine(started))
        .addSubcommand(PlaygroundCommand.commandLine())
        .addSubcommand(VerifyCommand.commandLine())
        .addSubcommand(MemoryCommand.commandLine())
        .addSubcommand(InspectCommand.commandLine())
        .addSubcommand(MergeCommand.commandLine())
        .addSubcommand(CompletionCommand.commandLine())
        .addSubcommand(new CommandLine.HelpCommand())
        .setExpandAtFiles(false) // a prompt may start with @
        .setUsageHelpAutoWidth(true)
        .setColorScheme(CommandLine.Help.defaultColorScheme(Terminal.OUT.ansi()))
        .setExecutionStrategy(Lightmill::execute)
        .setParameterExceptionHandler(failures)
        .setExecutionExceptionHandler(failures);
  }

  /**
   * Ends the process. A driver in cluster mode throws instead, since its master takes {@code
   * System.exit} for a crash of the driver and hides the status.
   */
  private static void exit(int status) throws SparkUserAppException {
    if (!"cluster".equals(System.getProperty("spark.submit.deployMode"))) {
      System.exit(status);
    } else if (status != ExitStatus.DONE) {
      throw new SparkUserAppException(status, null);
    }
  }

  /** By default Java 17 writes the platform's charset, which is often ASCII in a container. */
  private static PrintWriter utf8(FileDescriptor stream) {
    return new PrintWriter(new FileOutputStream(stream), true, StandardCharsets.UTF_8);
  }
}
