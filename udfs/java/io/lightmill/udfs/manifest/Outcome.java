package io.lightmill.udfs.manifest;

import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.ImageStatus;

/**
 * The result for one image; what does not apply is null.
 *
 * @param image if it is stored
 * @param facts of its drawing; verdicts of rules on the prompt are in the plan
 * @param screened scores and draws
 * @param generateMillis its share of the time that its batch took on the device
 */
public record Outcome(
    ImageStatus status,
    String errorCode,
    String errorMessage,
    StoredImage image,
    DrawingFacts facts,
    Screened screened,
    Double generateMillis,
    Double encodeMillis,
    Double storeMillis) {

  private static Outcome undrawn(
      ImageStatus status, String errorCode, String errorMessage, StoredImage image) {
    return new Outcome(
        status, errorCode, errorMessage, image, DrawingFacts.NONE, null, null, null, null);
  }

  /** Invalid, or blocked for its prompt: the plan says so, with the code and the reason. */
  public static Outcome refused(String errorCode, String errorMessage) {
    return undrawn(
        ErrorCode.PROMPT_BLOCKED.name().equals(errorCode)
            ? ImageStatus.BLOCKED
            : ImageStatus.INVALID,
        errorCode,
        errorMessage,
        null);
  }

  /**
   * Blocked by a classifier: the prompt before it is drawn, or the image afterwards.
   *
   * @param image if it is kept in quarantine; null if it is not stored
   * @param facts with a verdict that blocks
   */
  public static Outcome blocked(StoredImage image, DrawingFacts facts, Double generateMillis) {
    return new Outcome(
        ImageStatus.BLOCKED,
        facts.deciding().refusal().code().name(),
        facts.deciding().message(),
        image,
        facts,
        Screened.of(facts.screening().orElse(null)),
        generateMillis,
        null,
        null);
  }

  /** Failed in an earlier run, and not tried again. */
  public static Outcome failedBefore(String errorCode, String errorMessage) {
    return undrawn(ImageStatus.FAILED, errorCode, errorMessage, null);
  }

  public static Outcome reused(StoredImage image) {
    return undrawn(ImageStatus.REUSED, null, null, image);
  }

  /** The same outcome with other facts of its drawing. */
  public Outcome with(DrawingFacts known) {
    return with(known, Screened.of(known.screening().orElse(null)));
  }

  /** The same outcome with other facts of its drawing, and what a manifest said of its scores. */
  public Outcome with(DrawingFacts known, Screened scores) {
    return new Outcome(
        status,
        errorCode,
        errorMessage,
        image,
        known,
        scores,
        generateMillis,
        encodeMillis,
        storeMillis);
  }

  /** Drawn and stored by an attempt at this task that failed later. */
  public static Outcome generatedBefore(StoredImage image) {
    return undrawn(ImageStatus.GENERATED, null, null, image);
  }

  /** The same image, as an image of an earlier run. */
  public Outcome reused() {
    return reused(image).with(DrawingFacts.ofVerdicts(facts.verdicts()));
  }

  public static Outcome pending() {
    return undrawn(ImageStatus.PENDING, null, null, null);
  }

  public static Outcome failed(LightmillException failure, Double generateMillis) {
    return new Outcome(
        ImageStatus.FAILED,
        failure.code().name(),
        failure.getMessage(),
        null,
        DrawingFacts.NONE,
        null,
        generateMillis,
        null,
        null);
  }

  public static Outcome generated(
      StoredImage image,
      DrawingFacts facts,
      double generateMillis,
      double encodeMillis,
      double storeMillis) {
    return new Outcome(
        ImageStatus.GENERATED,
        null,
        null,
        image,
        facts,
        Screened.of(facts.screening().orElse(null)),
        generateMillis,
        encodeMillis,
        storeMillis);
  }
}
