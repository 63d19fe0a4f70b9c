package io.lightmill.jobs;

import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.pipeline.torch.DType;
import io.lightmill.udfs.DeviceChoice;
import java.util.Optional;
import java.util.OptionalInt;
import picocli.CommandLine.Option;

/** Options that say what draws, and in which portions. */
final class EngineOptions {

  @Option(
      names = "--checkpoint",
      paramLabel = "LOCATION",
      defaultValue = CheckpointCache.BUILTIN_POCKET,
      description =
          "builtin:pocket, or a directory in diffusers' layout on any Hadoop file system"
              + " (${DEFAULT-VALUE}).")
  private String checkpoint;

  @Option(
      names = "--batch-size",
      paramLabel = "N",
      defaultValue = "8",
      description = "Most images that the engine draws at once (${DEFAULT-VALUE}).")
  private int batchSize;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description =
          "Precision: float32, bfloat16 or float16; bfloat16 on GPUs and float32 on CPUs unless"
              + " given.")
  private Optional<WeightType> dtype;

  @Option(
      names = "--partitions",
      paramLabel = "N",
      description = "Tasks that the drawing is cut into; by the cluster unless given.")
  private Optional<Integer> partitions;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "auto",
      description =
          "auto, cpu or cuda: auto draws on GPUs where there are some and on the CPU elsewhere"
              + " (${DEFAULT-VALUE}).")
  private DeviceChoice device;

  String checkpoint() {
    return checkpoint;
  }

  int batchSize() {
    return OptionBounds.atLeast(1, "--batch-size", batchSize);
  }

  DeviceChoice device() {
    return device;
  }

  Optional<DType> dtype() {
    return dtype.map(WeightType::dtype);
  }

  OptionalInt partitions() {
    return OptionBounds.atLeast(1, "--partitions", partitions);
  }

  /** Element types of weights, under the names of {@code torch.dtype}. */
  enum WeightType {
    FLOAT32(DType.F32),
    BFLOAT16(DType.BF16),
    FLOAT16(DType.F16);

    private final DType dtype;

    WeightType(DType dtype) {
      this.dtype = dtype;
    }

    DType dtype() {
      return dtype;
    }
  }
}
