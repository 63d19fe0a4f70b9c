package io.lightmill.jobs;

import io.lightmill.udfs.GenerationSettings;
import java.time.Instant;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;

/** {@code lightmill generate …} up to the point where Spark would start. */
record ParsedGenerate(CommandSpec command) {

  static final Instant NOW = Instant.parse("2026-03-04T05:06:07Z");

  static ParsedGenerate of(String... options) {
    String[] arguments =
        Stream.concat(Stream.of("generate"), Stream.of(options)).toArray(String[]::new);
    return new ParsedGenerate(
        JobFileArguments.complete(Lightmill.commandLine().parseArgs(arguments))
            .subcommand()
            .commandSpec());
  }

  GenerationSettings settings() {
    return ((GenerateCommand) command.userObject()).settings(NOW);
  }

  Map<String, Object> asked() {
    return AskedOptions.of(command);
  }
}
