package io.lightmill.jobs;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.udfs.DeviceChoice;
import io.lightmill.udfs.GenerationSettings;
import java.util.LinkedHashMap;
import java.util.Map;
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
      description =
          "Most images that a GPU draws as one batch (${DEFAULT-VALUE}). CPUs draw each image"
              + " alone.")
  private int batchSize;

  @Option(
      names = "--threads-per-image",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "CPU threads that draw an image (${DEFAULT-VALUE}); as many images are drawn at once as"
              + " there are cores for. More suit few large images, but the last bits of images"
              + " depend on N: only with 1 are they the same whatever the number of cores. GPUs"
              + " ignore it.")
  private int threadsPerImage;

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

  @Option(
      names = "--variant",
      paramLabel = "NAME",
      description =
          "Which of several files of the same weights to read, such as fp16; the plain ones, or"
              + " the only ones, unless given.")
  private Optional<String> variant;

  @Option(
      names = "--lora",
      paramLabel = "NAME=FILE",
      description =
          "A LoRA adapter (safetensors) and the name by which rows choose it. Repeatable.")
  private final Map<String, String> adapters = new LinkedHashMap<>();

  @Option(
      names = "--offload",
      description =
          "Let text encoders, transformer and autoencoder take turns on the device: slower, but"
              + " it holds the largest of them instead of all.")
  private boolean offload;

  String checkpoint() {
    return checkpoint;
  }

  GenerationSettings.Loading loading() {
    adapters.keySet().stream()
        .filter(name -> !name.matches(LoraBlend.NAME) || name.equals(LoraBlend.NONE_NAMED))
        .findFirst()
        .ifPresent(
            name -> {
              throw new LightmillException(
                  ErrorCode.CONFIGURATION_INVALID,
                  "--lora names an adapter '%s'; call it by letters, digits, dots, dashes and underscores, and not 'none'."
                      .formatted(name));
            });
    return new GenerationSettings.Loading(variant.orElse(""), adapters, offload);
  }

  int batchSize() {
    return OptionBounds.atLeast(1, "--batch-size", batchSize);
  }

  int threadsPerImage() {
    return OptionBounds.atLeast(1, "--threads-per-image", threadsPerImage);
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
