package io.lightmill.udfs.report;

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
import java.io.IOException;
import java.time.Instant;
import java.util.Map;

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
 * @param verdicts blocked and flagged rows of the manifest, by stage and category
 * @param imagesPerSecond generated images per second of the generating stage
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
    VerdictCounts verdicts,
    Seconds seconds,
    double imagesPerSecond,
    SparkEnvironment spark,
    Map<String, String> versions) {

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
