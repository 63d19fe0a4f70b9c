package io.lightmill.jobs;

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
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.apache.hadoop.conf.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code lightmill verify}: a checkpoint and recordings of diffusers in, their differences out. */
@Command(
    name = "verify",
    description = "Holds a checkpoint's drawing against recordings of diffusers.",
    customSynopsis = "lightmill verify --checkpoint=LOCATION --reference=DIRECTORY [OPTION]…",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class)
final class VerifyCommand implements Callable<Integer> {

  @Spec private CommandSpec spec;

  @Option(
      names = "--checkpoint",
      paramLabel = "LOCATION",
      required = true,
      description =
          "builtin:pocket, or a directory in diffusers' layout on any Hadoop file system.")
  private String location;

  @Option(
      names = "--reference",
      paramLabel = "DIRECTORY",
      required = true,
      description =
          "Holds cases.json and cases.safetensors; scheduler_tables.json is held too, there or in"
              + " the directory above.")
  private Path reference;

  @Option(
      names = "--variant",
      paramLabel = "NAME",
      description =
          "Which of several files of the same weights to read, such as fp16; the plain ones, or"
              + " the only ones, unless given.")
  private Optional<String> variant;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "cpu",
      description = "cpu or cuda:N (${DEFAULT-VALUE}).")
  private String device;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      defaultValue = "float32",
      description =
          "Weights on the device: float32, bfloat16 or float16 (${DEFAULT-VALUE}). The limits are"
              + " those of float32.")
  private EngineOptions.WeightType dtype;

  @Override
  public Integer call() {
    Device where = device();
    Verification verification = Verification.read(reference);
    Optional<SchedulerTables> schedules = SchedulerTables.near(reference);
    Checkpoint checkpoint =
        Checkpoint.open(new CheckpointFetch(new Configuration()).localize(location), variant);
    verification.requirePipelineOf(checkpoint);
    ComparisonTable table =
        new ComparisonTable(spec.commandLine().getOut(), verification.caseNames());
    try (FlowPipeline pipeline = Families.load(checkpoint, where, dtype.dtype())) {
      table.header();
      schedules.ifPresent(tables -> tables.run(table::row));
      verification.run(pipeline, table::row);
    }
    table.summary();
    return table.allHold() ? ExitStatus.DONE : ExitStatus.COMPARISONS_FAILED;
  }

  private Device device() {
    if (!device.matches("cpu|cuda:\\d{1,4}")) {
      throw new LightmillException(
          ErrorCode.CONFIGURATION_INVALID,
          "--device is '%s', but must be cpu or cuda:N, such as cuda:0.".formatted(device));
    }
    Device wanted = new Device(device);
    if (!wanted.equals(Device.CPU)) {
      int index = Integer.parseInt(device.substring("cuda:".length()));
      if (index >= Torch.gpus()) {
        throw new LightmillException(
            ErrorCode.CONFIGURATION_INVALID,
            "--device is %s, but libtorch sees %d GPUs; name one that is there, or install a libtorch with CUDA."
                .formatted(device, Torch.gpus()));
      }
    }
    return wanted;
  }
}
