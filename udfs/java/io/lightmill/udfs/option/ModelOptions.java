package io.lightmill.udfs.option;

import static io.lightmill.udfs.option.OptionGroup.MODEL;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.LoraBlend;
import io.lightmill.pipeline.checkpoint.CheckpointCache;
import io.lightmill.udfs.DeviceChoice;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The options of the model that draws, and of its devices. */
public final class ModelOptions {

  public static final Option<String> CHECKPOINT =
      Option.of(
              "checkpoint",
              OptionType.text(),
              "LOCATION",
              MODEL,
              "builtin:pocket, a directory in diffusers' layout on any Hadoop file system, or a"
                  + " hosted model: foundry:URL#MODEL or openai:URL#MODEL, as HOSTED.md says.")
          .or(CheckpointCache.BUILTIN_POCKET)
          .besideJobFile();

  public static final Option<String> VARIANT =
      Option.of(
          "variant",
          OptionType.text(),
          "NAME",
          MODEL,
          "Variant of the weight files to read, such as fp16. By default the files without a"
              + " variant, or the only ones.");

  public static final Option<DType> DTYPE =
      Option.of(
          "dtype",
          OptionType.choice(weightTypes()),
          "TYPE",
          MODEL,
          "Precision of the weights: float32, bfloat16 or float16. Default: bfloat16 on GPUs,"
              + " float32 on CPUs.");

  public static final Option<Map<String, String>> LORA =
      Option.of(
          "lora",
          OptionType.map(
              name -> name.matches(LoraBlend.NAME) && !name.equals(LoraBlend.NONE_NAMED),
              "name=file entries with names of letters, digits, dots, dashes and underscores, and"
                  + " not 'none'"),
          "NAME=FILE",
          MODEL,
          "A LoRA adapter (safetensors) and the name that rows use for it. Repeatable.");

  public static final Option<DeviceChoice> DEVICE =
      Option.of(
              "device",
              OptionType.choice(DeviceChoice.class),
              "DEVICE",
              MODEL,
              "auto, cpu or cuda: auto uses GPUs where tasks can have them, and otherwise the CPU.")
          .or(DeviceChoice.AUTO);

  /** Without a default: it is measured. */
  public static final Option<Integer> BATCH_SIZE =
      Option.of(
          "batch-size",
          OptionType.wholeNumber(1),
          "N",
          MODEL,
          "Number of images that a GPU draws at once, halved where memory is short. By default the"
              + " run measures it: batches of each size and number of steps grow until they draw no"
              + " faster. CPUs draw each image alone.");

  public static final Option<Integer> THREADS_PER_IMAGE =
      Option.of(
              "threads-per-image",
              OptionType.wholeNumber(1),
              "N",
              MODEL,
              "CPU threads that draw one image; as many images are drawn at once as there are cores"
                  + " for. More than 1 suits few large images, but the last bits of an image depend"
                  + " on N: only with 1 are they the same for any number of cores. GPUs ignore it.")
          .or(1);

  public static final Option<Integer> PARTITIONS =
      Option.of(
          "partitions",
          OptionType.wholeNumber(1),
          "N",
          MODEL,
          "Number of tasks that draw. By default the cluster decides.");

  public static final Option<Boolean> OFFLOAD =
      Option.of(
              "offload",
              OptionType.flag(),
              "",
              MODEL,
              "Keep only one of text encoders, transformer and autoencoder on the device at a time:"
                  + " slower, but needs memory for the largest of them only.")
          .or(false);

  public static final Option<Integer> OFFLOAD_CHUNK =
      Option.of(
              "offload-chunk",
              OptionType.wholeNumber(1),
              "IMAGES",
              MODEL,
              "With offload, number of images whose prompts are all encoded, then all denoised,"
                  + " then all decoded, so that they load each network once. Fewer are taken where"
                  + " the heap is too small for their pixels.")
          .or(64);

  /** In the order of the help text. */
  static final List<Option<?>> ALL =
      List.of(
          CHECKPOINT,
          VARIANT,
          DTYPE,
          LORA,
          DEVICE,
          BATCH_SIZE,
          THREADS_PER_IMAGE,
          PARTITIONS,
          OFFLOAD,
          OFFLOAD_CHUNK);

  private ModelOptions() {}

  /** By the names of {@code torch.dtype}. */
  private static Map<String, DType> weightTypes() {
    Map<String, DType> types = new LinkedHashMap<>();
    types.put("float32", DType.F32);
    types.put("bfloat16", DType.BF16);
    types.put("float16", DType.F16);
    return types;
  }
}
