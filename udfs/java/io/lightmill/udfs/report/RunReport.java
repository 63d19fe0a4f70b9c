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
import io.lightmill.udfs.manifest.RunAttempt;
import io.lightmill.udfs.option.GenerationOptions;
import io.lightmill.udfs.option.ModelOptions;
import io.lightmill.udfs.option.Options;
import io.lightmill.udfs.option.Redaction;
import io.lightmill.udfs.store.ImageStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.commons.lang3.StringUtils;
import org.apache.hadoop.conf.Configuration;

/**
 * The end of a run for schedulers and other programs, as one JSON object: {@code --summary-json},
 * and {@value #LATEST} in the output. All fields are always there; what does not apply is null.
 *
 * @param runId that the caller gave
 * @param attempt number of the attempt at this run, from 1; null if the run failed
 * @param status a label of {@link RunEnd}
 * @param errorCode a name of {@link io.lightmill.pipeline.ErrorCode}, {@code UNEXPECTED} for other
 *     errors, null if the run is committed
 * @param errorMessage one sentence, null if the run is committed
 * @param rows of the manifest
 * @param images rows of the manifest by status
 * @param blankImages rows of the manifest whose image has a single colour
 * @param verdicts blocked and flagged rows of the manifest, by stage and category
 * @param manifest location of the manifest
 * @param problems failures after the commit, one sentence each
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record RunReport(
    String runId,
    Integer attempt,
    String status,
    String errorCode,
    String errorMessage,
    @JsonSerialize(using = ToStringSerializer.class) Instant startedAt,
    @JsonSerialize(using = ToStringSerializer.class) Instant endedAt,
    String input,
    String output,
    String checkpoint,
    long rows,
    Map<String, Long> images,
    long blankImages,
    VerdictCounts verdicts,
    Seconds seconds,
    Rates imagesPerSecond,
    String manifest,
    String runRecord,
    String contactSheet,
    String report,
    List<String> problems) {

  /** The report of the latest committed run over an output, as a key below it. */
  public static final String LATEST = "runs/latest.json";

  private static final String UNEXPECTED = "UNEXPECTED";

  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  /**
   * Durations.
   *
   * @param total from the start of the caller, which for a command is the start of its process
   * @param drawing from the first device with its model to the committed manifest
   */
  public record Seconds(double total, double drawing) {}

  /**
   * Generated images per second.
   *
   * @param total of {@link Seconds#total}
   * @param drawing of {@link Seconds#drawing}
   */
  public record Rates(double total, double drawing) {}

  /** Where a committed run has written what. */
  public record Places(
      String manifest,
      Optional<String> runRecord,
      Optional<String> contactSheet,
      Optional<String> report,
      List<String> problems) {}

  /** The report of a committed run. */
  public static RunReport committed(
      GenerationOptions options, Instant started, RunSummary summary, Places places) {
    RunAttempt attempt = RunAttempt.of(options.get(Options.RUN_ID));
    Instant ended = started.plusMillis(Math.round(summary.total() * 1000));
    return new RunReport(
        attempt.runId(),
        attempt.number(),
        summary.end(options.find(Options.MAX_FAILURES)).label(),
        null,
        null,
        started,
        ended,
        location(options.find(Options.INPUT)),
        location(options.find(Options.OUTPUT_DIRECTORY)),
        location(options.find(ModelOptions.CHECKPOINT)),
        summary.images(),
        summary.labelled(),
        summary.blank(),
        summary.verdicts(),
        new Seconds(rounded(summary.total()), rounded(summary.drawing())),
        new Rates(rounded(summary.imagesPerSecondInTotal()), rounded(summary.imagesPerSecond())),
        places.manifest(),
        places.runRecord().orElse(null),
        places.contactSheet().orElse(null),
        places.report().orElse(null),
        places.problems());
  }

  /**
   * The report of a run without a manifest.
   *
   * @param options as far as they are known
   * @param known the error, if the user can fix it
   * @param message one sentence
   */
  public static RunReport failed(
      GenerationOptions options,
      Instant started,
      Instant ended,
      Optional<LightmillException> known,
      String message) {
    boolean stopped = known.filter(e -> e.code() == ErrorCode.RUN_STOPPED).isPresent();
    return new RunReport(
        options.find(Options.RUN_ID).orElse(null),
        null,
        (stopped ? RunEnd.STOPPED : RunEnd.FAILED).label(),
        known.map(e -> e.code().name()).orElse(UNEXPECTED),
        message,
        started,
        ended,
        location(options.find(Options.INPUT)),
        location(options.find(Options.OUTPUT_DIRECTORY)),
        location(options.find(ModelOptions.CHECKPOINT)),
        0,
        Map.of(),
        0,
        VerdictCounts.NONE,
        new Seconds(Duration.between(started, ended).toMillis() / 1000.0, 0),
        new Rates(0, 0),
        null,
        null,
        null,
        null,
        List.of());
  }

  /** To thousandths. */
  private static double rounded(double value) {
    return Math.round(value * 1000) / 1000.0;
  }

  private static String location(Optional<String> uri) {
    return uri.map(Redaction::location).orElse(null);
  }

  /**
   * Stores the report in one step, which replaces an earlier one.
   *
   * @param uri of a file on any Hadoop file system
   */
  public void store(String uri, Configuration hadoop) {
    ImageStore.open(StringUtils.substringBeforeLast(uri, "/"), hadoop)
        .put(StringUtils.substringAfterLast(uri, "/"), json(), "application/json");
  }

  /** The content of the file. */
  public byte[] json() {
    try {
      return JSON.writeValueAsBytes(this);
    } catch (IOException e) { // a value of this record that JSON does not have
      throw new UncheckedIOException(e);
    }
  }
}
