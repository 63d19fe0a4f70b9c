package io.lightmill.jobs;

import io.lightmill.jobs.playground.PlaygroundServer;
import io.lightmill.udfs.option.CheckOptions;
import io.lightmill.udfs.option.ColumnOptions;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.playground.Playground;
import java.io.PrintWriter;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.apache.hadoop.service.launcher.IrqHandler;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lightmill playground}: a page on which prompts and settings are tried. */
@Command(
    name = "playground",
    description =
        "Serves a page on this machine on which prompts and settings are tried, with the model in"
            + " this process. It prints the address, which is valid until the process ends.",
    customSynopsis = "lightmill playground [--checkpoint=LOCATION] [--input=FILE] [OPTION]…",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class PlaygroundCommand implements Callable<Integer> {

  private static final RegisteredOptions OPTIONS =
      new RegisteredOptions(
          Stream.concat(
                  Stream.of(
                      ModelOptions.CHECKPOINT,
                      ModelOptions.VARIANT,
                      ModelOptions.DTYPE,
                      ModelOptions.DEVICE,
                      ModelOptions.OFFLOAD,
                      ModelOptions.THREADS_PER_IMAGE,
                      ModelOptions.LORA,
                      CheckOptions.POLICY,
                      Options.INPUT,
                      Options.PROMPT_TEMPLATE,
                      Options.FORMAT,
                      Options.SEED,
                      Options.TRUNCATE_PROMPTS),
                  ColumnOptions.all().values().stream())
              .toList(),
          Set.of());

  @Spec private CommandSpec spec;

  @Option(
      names = "--host",
      paramLabel = "ADDRESS",
      defaultValue = "127.0.0.1",
      description =
          "Address to listen on. With another than the default, everybody who can reach it and"
              + " knows the page's address can draw. Default: 127.0.0.1.")
  private String host;

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "0",
      description = "Port to listen on; 0 is any that is free. Default: 0.")
  private int port;

  private final CountDownLatch ended = new CountDownLatch(1);

  static CommandLine commandLine() {
    CommandLine command = new CommandLine(new PlaygroundCommand());
    OPTIONS.addTo(command.getCommandSpec());
    return command;
  }

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = Verbosity.of(spec).progress(spec.commandLine().getErr());
    GenerationOptions options =
        GenerationOptions.parseWithSession(OPTIONS.values(spec.commandLine().getParseResult()));
    List.of(IrqHandler.SIGTERM, IrqHandler.CONTROL_C)
        .forEach(signal -> new IrqHandler(signal, caught -> ended.countDown()).bind());
    err.printf("loading %s%n", options.get(ModelOptions.CHECKPOINT));
    err.flush();
    try (Playground playground = Playground.open(options);
        PlaygroundServer server = PlaygroundServer.start(playground, host, port)) {
      out.println(server.address());
      out.flush();
      err.println("open this address in a browser; Ctrl-C ends the playground");
      err.flush();
      ended.await();
    }
    return ExitStatus.DONE;
  }
}
