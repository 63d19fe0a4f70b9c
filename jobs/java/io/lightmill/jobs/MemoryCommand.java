package io.lightmill.jobs;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.families.MemoryPlan;
import io.lightmill.udfs.checkpoint.CheckpointFetch;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.option.OptionGroup;
import io.lightmill.udfs.option.OptionType;
import io.lightmill.udfs.option.Options;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** {@code lightmill memory}: the memory that a checkpoint needs, computed from its configs. */
@Command(
    name = "memory",
    description = "Prints how much memory a checkpoint needs on a device; loads no weights.",
    customSynopsis = "lightmill memory --checkpoint=LOCATION [OPTION]…",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class MemoryCommand implements Callable<Integer> {

  private static final double GIB = 1L << 30;

  private static final Option<String> CHECKPOINT = Options.CHECKPOINT.orNone();
  private static final Option<DType> DTYPE = Options.DTYPE.or(DType.BF16);
  private static final Option<Integer> WIDTH =
      size("width", "PIXELS", "Width of the images.", 1024);
  private static final Option<Integer> HEIGHT =
      size("height", "PIXELS", "Height of the images.", 1024);
  private static final Option<Integer> TOKENS =
      size("max-sequence-length", "TOKENS", "Prompt tokens of the long text encoder.", 512);
  private static final Option<Integer> BATCH_SIZE =
      size("batch-size", "N", "Number of images that are drawn at once.", 1);

  @Spec private CommandSpec spec;

  static CommandLine commandLine() {
    CommandLine command = new CommandLine(new MemoryCommand());
    new RegisteredOptions(
            List.of(CHECKPOINT, DTYPE, WIDTH, HEIGHT, TOKENS, BATCH_SIZE), Set.of(CHECKPOINT))
        .addTo(command.getCommandSpec());
    return command;
  }

  private static Option<Integer> size(String key, String label, String help, int value) {
    return Option.of(key, OptionType.wholeNumber(1), label, OptionGroup.IMAGES, help).or(value);
  }

  @Override
  public Integer call() {
    ParseResult line = spec.commandLine().getParseResult();
    MemoryPlan plan =
        MemoryPlan.of(
            Checkpoint.open(
                new CheckpointFetch(new Configuration())
                    .localize(RegisteredOptions.value(line, CHECKPOINT))),
            RegisteredOptions.value(line, DTYPE),
            RegisteredOptions.value(line, WIDTH),
            RegisteredOptions.value(line, HEIGHT),
            RegisteredOptions.value(line, TOKENS),
            RegisteredOptions.value(line, BATCH_SIZE));
    PrintWriter out = spec.commandLine().getOut();
    out.printf("%-14s %16s %12s %12s%n", "network", "parameters", "weights", "activations");
    for (MemoryPlan.Network network : plan.networks()) {
      out.printf(
          Locale.ROOT,
          "%-14s %,16d %12s %12s%n",
          network.name(),
          network.parameters(),
          gibibytes(network.weights()),
          gibibytes(network.activations()));
    }
    out.printf("%-14s %s%n", "peak", gibibytes(plan.peakResident()));
    out.printf("%-14s %s%n", "with --offload", gibibytes(plan.peakOffloaded()));
    out.flush();
    return ExitStatus.DONE;
  }

  private static String gibibytes(long bytes) {
    return String.format(Locale.ROOT, "%.2f GiB", bytes / GIB);
  }
}
