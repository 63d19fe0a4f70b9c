package io.lightmill.jobs;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.Checkpoint;
import io.lightmill.pipeline.families.Families;
import io.lightmill.pipeline.flow.FlowPipeline;
import io.lightmill.pipeline.torch.Torch;
import io.lightmill.pipeline.verify.SchedulerTables;
import io.lightmill.pipeline.verify.Verification;
import io.lightmill.udfs.checkpoint.CheckpointFetch;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Option;
import io.lightmill.udfs.option.OptionGroup;
import io.lightmill.udfs.option.OptionType;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** {@code lightmill verify}: compares a checkpoint with recordings of diffusers. */
@Command(
    name = "verify",
    description = "Compares the results of a checkpoint with recordings of diffusers.",
    customSynopsis = "lightmill verify --checkpoint=LOCATION --reference=DIRECTORY [OPTION]…",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class VerifyCommand implements Callable<Integer> {

  private static final Option<String> CHECKPOINT = ModelOptions.CHECKPOINT.orNone();

  private static final Option<String> REFERENCE =
      Option.of(
          "reference",
          OptionType.text(),
          "DIRECTORY",
          OptionGroup.MODEL,
          "Directory with cases.json and cases.safetensors. scheduler_tables.json is compared too,"
              + " if it is there or in the directory above.");

  private static final Option<String> DEVICE =
      Option.of(
              "device",
              OptionType.text(
                  Pattern.compile("cpu|cuda:\\d{1,4}"), "cpu or cuda:N, such as cuda:0"),
              "DEVICE",
              OptionGroup.MODEL,
              "cpu or cuda:N.")
          .or("cpu");

  /** The limits of comparisons are those of float32. */
  private static final Option<DType> DTYPE = ModelOptions.DTYPE.or(DType.F32);

  @Spec private CommandSpec spec;

  static CommandLine commandLine() {
    CommandLine command = new CommandLine(new VerifyCommand());
    new RegisteredOptions(
            List.of(CHECKPOINT, REFERENCE, ModelOptions.VARIANT, DEVICE, DTYPE),
            Set.of(CHECKPOINT, REFERENCE))
        .addTo(command.getCommandSpec());
    return command;
  }

  @Override
  public Integer call() {
    ParseResult line = spec.commandLine().getParseResult();
    Device where = device(RegisteredOptions.value(line, DEVICE));
    Path reference = Path.of(RegisteredOptions.value(line, REFERENCE));
    Verification verification = Verification.read(reference);
    Optional<SchedulerTables> schedules = SchedulerTables.near(reference);
    Checkpoint checkpoint =
        Checkpoint.open(
            new CheckpointFetch(new Configuration())
                .localize(RegisteredOptions.value(line, CHECKPOINT)),
            RegisteredOptions.find(line, ModelOptions.VARIANT));
    verification.requirePipelineOf(checkpoint);
    ComparisonTable table =
        new ComparisonTable(spec.commandLine().getOut(), verification.caseNames());
    try (FlowPipeline pipeline =
        Families.load(checkpoint, where, RegisteredOptions.value(line, DTYPE))) {
      table.header();
      schedules.ifPresent(tables -> tables.run(table::row));
      verification.run(pipeline, table::row);
    }
    table.summary();
    return table.allHold() ? ExitStatus.DONE : ExitStatus.COMPARISONS_FAILED;
  }

  private static Device device(String device) {
    Device wanted = new Device(device);
    if (!wanted.equals(Device.CPU)) {
      int index = Integer.parseInt(device.substring("cuda:".length()));
      if (index >= Torch.gpus()) {
        throw new LightmillException(
            ErrorCode.CONFIGURATION_INVALID,
            "option 'device' is '%s', but libtorch finds %d GPUs; name one of them, or install a libtorch with CUDA"
                .formatted(device, Torch.gpus()));
      }
    }
    return wanted;
  }
}
