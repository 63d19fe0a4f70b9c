package io.lightmill.jobs;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.pipeline.classify.ClassifierInfo;
import io.lightmill.pipeline.classify.ImageClassifier;
import io.lightmill.pipeline.classify.ImageScorer;
import io.lightmill.pipeline.classify.PromptClassifier;
import io.lightmill.pipeline.families.MemoryPlan;
import io.lightmill.udfs.checkpoint.CheckpointFetch;
import io.lightmill.udfs.option.CheckOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.option.OptionGroup;
import io.lightmill.udfs.option.OptionType;
import java.io.PrintWriter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
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

  private static final Option<String> CHECKPOINT = ModelOptions.CHECKPOINT.orNone();
  private static final Option<DType> DTYPE = ModelOptions.DTYPE.or(DType.BF16);
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
            List.of(
                CHECKPOINT,
                DTYPE,
                WIDTH,
                HEIGHT,
                TOKENS,
                BATCH_SIZE,
                CheckOptions.PROMPT_CLASSIFIER,
                CheckOptions.IMAGE_CLASSIFIER,
                CheckOptions.SCORER),
            Set.of(CHECKPOINT))
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
    out.printf("%-17s %16s %12s %12s%n", "network", "parameters", "weights", "activations");
    for (MemoryPlan.Network network : plan.networks()) {
      out.printf(
          Locale.ROOT,
          "%-17s %,16d %12s %12s%n",
          network.name(),
          network.parameters(),
          gibibytes(network.weights()),
          gibibytes(network.activations()));
    }
    long checks = 0;
    checks += check(line, out, CheckOptions.PROMPT_CLASSIFIER, PromptClassifier::describe);
    checks += check(line, out, CheckOptions.IMAGE_CLASSIFIER, ImageClassifier::describe);
    checks += check(line, out, CheckOptions.SCORER, ImageScorer::describe);
    out.printf("%-17s %s%n", "peak", gibibytes(plan.peakResident() + checks));
    out.printf("%-17s %s%n", "with --offload", gibibytes(plan.peakOffloaded() + checks));
    out.flush();
    return ExitStatus.DONE;
  }

  /** Prints a network of checks, which computes in 32-bit floats, and returns its bytes. */
  private static long check(
      ParseResult line,
      PrintWriter out,
      Option<String> option,
      Function<ModelDirectory, ClassifierInfo> describe) {
    Optional<String> location = RegisteredOptions.find(line, option);
    if (location.isEmpty()) {
      return 0;
    }
    ClassifierInfo info =
        describe.apply(
            new ModelDirectory(
                new CheckpointFetch(new Configuration()).localizeModel(location.get())));
    long bytes = info.parameters() * DType.F32.bytes();
    out.printf(
        Locale.ROOT, "%-17s %,16d %12s%n", option.key(), info.parameters(), gibibytes(bytes));
    return bytes;
  }

  private static String gibibytes(long bytes) {
    return String.format(Locale.ROOT, "%.2f GiB", bytes / GIB);
  }
}
