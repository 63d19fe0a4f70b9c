package io.lightmill.udfs.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import com.fasterxml.jackson.databind.annotation.JsonSerialize;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.ser.std.ToStringSerializer;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.VerdictCounts;
import io.lightmill.udfs.draw.DrawingCounters;
import io.lightmill.udfs.manifest.Manifest;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.io.FileUtils;

/**
 * The options, the environment and the results of one run, stored as {@code
 * {output}/runs/{run_id}.json}.
 *
 * @param asked values of the options, by the keys of job files
 * @param checkpoint the model
 * @param images rows of the manifest by status
 * @param transformerCalls that the generated images took, both sides of guidance counted
 * @param blankImages rows of the manifest whose image has a single colour
 * @param policy that checked the prompts; null if there was none
 * @param checks classifiers and scorer that read prompts and images
 * @param verdicts blocked and flagged rows of the manifest, by stage and category
 * @param imagesPerSecond generated images per second of the generating stage
 * @param drawing what the devices did
 * @param hosted requests to a hosted model; null, and not in the file, for a checkpoint
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record RunRecord(
    String runId,
    @JsonSerialize(using = ToStringSerializer.class) Instant startedAt,
    @JsonSerialize(using = ToStringSerializer.class) Instant endedAt,
    Map<String, Object> asked,
    Checkpoint checkpoint,
    Map<String, Long> images,
    long blankImages,
    long transformerCalls,
    Policy policy,
    List<Check> checks,
    VerdictCounts verdicts,
    Seconds seconds,
    double imagesPerSecond,
    Drawing drawing,
    SparkEnvironment spark,
    Map<String, String> versions,
    @JsonInclude(JsonInclude.Include.NON_NULL) Hosted hosted) {

  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /**
   * The model.
   *
   * @param location as given
   * @param digest over the content of its files
   */
  public record Checkpoint(String location, String digest) {}

  /**
   * The prompt policy.
   *
   * @param location as given
   * @param digest over what it says
   */
  public record Policy(String location, String digest) {}

  /**
   * A classifier or scorer.
   *
   * @param kind prompt, image or scorer
   * @param location as given
   * @param digest over the content of its files
   */
  public record Check(String kind, String location, String digest) {}

  /**
   * Where the time went.
   *
   * @param start from the start of the caller to the start of the run; of a command, Spark's own
   *     start
   * @param plan from the start of the run to the first generating task
   * @param load from then until the first device has its model
   * @param generate the generating stage from then on, manifest commit included
   * @param engine time that all devices together spent drawing
   * @param total from the start of the caller to the committed manifest
   */
  public record Seconds(
      double start, double plan, double load, double generate, double engine, double total) {}

  /**
   * What all devices together did.
   *
   * @param encodePromptSeconds of encoding prompts
   * @param denoiseSeconds of the transformer's steps
   * @param decodeSeconds of decoding latents
   * @param loadSeconds of loading networks that take turns on the device
   * @param loadedBytes of weight files, loaded in that time
   * @param loadedBytesPerImage the same for each generated image
   * @param prompts texts that were to be encoded, negative prompts included
   * @param cachedPrompts those of them whose embeddings were known already
   * @param batches that were drawn at once, by their number of images
   * @param tooLargeBatches that needed more memory than there was, and were drawn in halves
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Drawing(
      double encodePromptSeconds,
      double denoiseSeconds,
      double decodeSeconds,
      double loadSeconds,
      long loadedBytes,
      long loadedBytesPerImage,
      long prompts,
      long cachedPrompts,
      Map<Integer, Long> batches,
      long tooLargeBatches) {

    public static Drawing of(
        Manifest.DeviceSeconds seconds, DrawingCounters.Sums work, long generated) {
      return new Drawing(
          seconds.encode(),
          seconds.denoise(),
          seconds.decode(),
          work.loadSeconds(),
          work.loadedBytes(),
          work.loadedBytes() / Math.max(1, generated),
          work.prompts(),
          work.cachedPrompts(),
          work.batches(),
          work.tooLarge());
    }

    /** A line on the loading of networks that take turns on the device, if they did. */
    public Optional<String> loadLine() {
      return loadedBytes == 0
          ? Optional.empty()
          : Optional.of(
              String.format(
                  Locale.ROOT,
                  "networks took turns on the device: %s loaded from files in %.1f s, %s per image",
                  FileUtils.byteCountToDisplaySize(loadedBytes),
                  loadSeconds,
                  FileUtils.byteCountToDisplaySize(loadedBytesPerImage)));
    }
  }

  /**
   * Requests to a hosted model.
   *
   * @param requests that were sent, failed ones included
   * @param cost of images, in the currency of the given prices; 0 without prices
   * @param uncertainCost that requests whose answers were lost may have had beside it
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Hosted(long requests, double cost, double uncertainCost) {

    /** A line such as {@code 12 requests cost 0.24, and up to 0.02 for lost answers}. */
    public String line() {
      return String.format(
          Locale.ROOT,
          "%d %s%s%s",
          requests,
          requests == 1 ? "request" : "requests",
          cost == 0 ? "" : String.format(Locale.ROOT, " cost %.4f", cost),
          uncertainCost == 0
              ? ""
              : String.format(Locale.ROOT, ", and up to %.4f for lost answers", uncertainCost));
    }
  }

  /** The key of the record below the output; no run has the id of {@link RunReport#LATEST}. */
  public String key() {
    return "runs/" + runId + ".json";
  }

  /** The content of the file. */
  public byte[] json() {
    try {
      return JSON.writeValueAsBytes(this);
    } catch (IOException e) {
      throw new LightmillException(
          ErrorCode.OUTPUT_UNWRITABLE,
          "The record of run %s cannot be written as JSON: %s.".formatted(runId, e.getMessage()),
          e);
    }
  }
}
