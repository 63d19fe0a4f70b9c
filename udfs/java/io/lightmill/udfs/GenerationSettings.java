package io.lightmill.udfs;

import io.lightmill.pipeline.DType;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.shard.ShardFormat;
import java.io.Serializable;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Everything that a job decides once, as its user wrote it.
 *
 * @param table where the prompts come from
 * @param defaults values of rows that name none
 * @param checkpoint {@code builtin:pocket}, a directory, or a URI of any Hadoop file system
 * @param loading how the checkpoint is loaded, and with what
 * @param output directory of images, manifests and run records, on any Hadoop file system
 * @param format of the image objects
 * @param pathTemplate key of an image object below the output, such as {@code {sku}/{image_id}};
 *     empty for the standard layout
 * @param packing of the images into shards; empty to leave each an object of its own
 * @param batchSize most images that a GPU draws as one batch; on CPUs each image is drawn alone
 * @param threadsPerImage that the drawing of an image may use on a CPU, at least 1
 * @param partitions of the generating stage; empty to follow the cluster
 * @param device to draw on
 * @param dtype of the weights on the device; empty for the best of the device
 * @param runId of this run, unique below the output
 * @param rerun what is taken from earlier runs over this output
 * @param deadline after which no batch is begun that would not end before it; empty for none
 * @param mostFailures failed and invalid rows beyond which no batch is begun; empty for no limit
 */
public record GenerationSettings(
    Table table,
    Defaults defaults,
    String checkpoint,
    Loading loading,
    String output,
    ImageFormat format,
    Optional<String> pathTemplate,
    Optional<Packing> packing,
    int batchSize,
    int threadsPerImage,
    OptionalInt partitions,
    DeviceChoice device,
    Optional<DType> dtype,
    String runId,
    Rerun rerun,
    Optional<Instant> deadline,
    OptionalInt mostFailures) {

  /**
   * Where the prompts come from.
   *
   * @param location a file, directory or glob of any Hadoop file system, or the name of a Spark
   *     table
   * @param format {@code csv}, {@code parquet}, {@code json} or {@code table}; empty to tell it by
   *     the location
   * @param columns the table's own column for each of Lightmill's, such as {@code prompt=caption}
   * @param promptTemplate such as {@code a {color} {name} on {background}}
   * @param limit rows to take; empty for all
   */
  public record Table(
      String location,
      Optional<String> format,
      Map<String, String> columns,
      Optional<String> promptTemplate,
      OptionalInt limit) {}

  /**
   * How images are packed.
   *
   * @param shardSize most images of one shard
   */
  public record Packing(ShardFormat format, int shardSize) implements Serializable {}

  /**
   * What is taken from earlier runs over the same output.
   *
   * @param force draw every image again, whatever earlier runs left
   * @param retryFailed try images again that earlier runs failed to draw, instead of leaving them
   *     failed
   */
  public record Rerun(boolean force, boolean retryFailed) {}

  /**
   * Values of rows that name none; where these are empty too, the checkpoint decides.
   *
   * @param seed of the job, from which rows without a seed derive theirs
   * @param truncatePrompts cut over-long prompts instead of refusing their rows
   * @param lora adapters, such as {@code brand@0.8+style@0.5}
   */
  public record Defaults(
      OptionalInt width,
      OptionalInt height,
      OptionalInt numInferenceSteps,
      Optional<Double> guidanceScale,
      Optional<Double> trueCfgScale,
      Optional<String> negativePrompt,
      OptionalInt numImagesPerPrompt,
      OptionalInt maxSequenceLength,
      long seed,
      boolean truncatePrompts,
      Optional<String> lora) {}

  /**
   * How a checkpoint is loaded, and with what.
   *
   * @param variant of the weights, such as {@code fp16}; empty for the plain ones, or the only ones
   * @param adapters files of low-rank adapters, by the names that rows call them
   * @param offload let its networks take turns on the device
   */
  public record Loading(String variant, Map<String, String> adapters, boolean offload)
      implements Serializable {

    /** The checkpoint alone, all of it on the device. */
    public static final Loading PLAIN = new Loading("", Map.of(), false);

    public Loading {
      adapters = Map.copyOf(adapters);
    }

    /** The variant that is asked for. */
    public Optional<String> wanted() {
      return Optional.of(variant).filter(name -> !name.isEmpty());
    }
  }
}
