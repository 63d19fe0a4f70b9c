package io.lightmill.jobs;

import io.lightmill.udfs.option.GenerationOptions;
import java.time.Instant;
import java.util.stream.Stream;
import picocli.CommandLine;

/** {@code lightmill generate …} up to the start of Spark. */
record ParsedGenerate(GenerationOptions options) {

  static ParsedGenerate of(String... options) {
    CommandLine command = Lightmill.commandLine(Instant.now());
    String[] arguments =
        Stream.concat(Stream.of("generate"), Stream.of(options)).toArray(String[]::new);
    command.parseArgs(arguments);
    GenerateCommand generate =
        (GenerateCommand) command.getSubcommands().get("generate").getCommandSpec().userObject();
    return new ParsedGenerate(generate.options());
  }
}
