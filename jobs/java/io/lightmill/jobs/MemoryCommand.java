package io.lightmill.jobs;

import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.families.MemoryPlan;
import io.lightmill.udfs.checkpoint.CheckpointFetch;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lightmill memory}: what a checkpoint takes on a device, computed from its configs. */
@Command(
    name = "memory",
    description = "Says how much memory a checkpoint takes on a device; loads no weights.",
    customSynopsis = "lightmill memory --checkpoint=LOCATION [OPTION]…",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class MemoryCommand implements Callable<Integer> {

  private static final double GIB = 1L << 30;

  @Spec private CommandSpec spec;

  @Option(
      names = "--checkpoint",
      paramLabel = "LOCATION",
      required = true,
      description =
          "builtin:pocket, or a directory in diffusers' layout on any Hadoop file system.")
  private String location;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "bfloat16",
      description = "float32, bfloat16 or float16 (${DEFAULT-VALUE}).")
  private EngineOptions.WeightType dtype;

  @Option(
      names = "--width",
      paramLabel = "PIXELS",
      defaultValue = "1024",
      description = "Of the images (${DEFAULT-VALUE}).")
  private int width;

  @Option(
      names = "--height",
      paramLabel = "PIXELS",
      defaultValue = "1024",
      description = "Of the images (${DEFAULT-VALUE}).")
  private int height;

  @Option(
      names = "--max-sequence-length",
      paramLabel = "TOKENS",
      defaultValue = "512",
      description = "Prompt tokens that the long text encoder sees (${DEFAULT-VALUE}).")
  private int maxSequenceLength;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      defaultValue = "1",
      description = "Images that the engine draws at once (${DEFAULT-VALUE}).")
  private int batchSize;

  @Override
  public Integer call() {
    MemoryPlan plan =
        MemoryPlan.of(
            Checkpoint.open(new CheckpointFetch(new Configuration()).localize(location)),
            dtype.dtype(),
            OptionBounds.atLeast(1, "--width", width),
            OptionBounds.atLeast(1, "--height", height),
            OptionBounds.atLeast(1, "--max-sequence-length", maxSequenceLength),
            OptionBounds.atLeast(1, "--batch-size", batchSize));
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
