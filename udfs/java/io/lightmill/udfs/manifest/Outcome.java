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
 * @param device its share of the time that its batch took on the device
 */
public record Outcome(
    ImageStatus status,
    String errorCode,
    String errorMessage,
    StoredImage image,
    DrawingFacts facts,
    DeviceMillis device,
    Double encodeMillis,
    Double storeMillis) {

  private static Outcome undrawn(
      ImageStatus status, String errorCode, String errorMessage, StoredImage image) {
    return new Outcome(status, errorCode, errorMessage, image, DrawingFacts.NONE, null, null, null);
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
  public static Outcome blocked(StoredImage image, DrawingFacts facts, DeviceMillis device) {
    return new Outcome(
        ImageStatus.BLOCKED,
        facts.deciding().refusal().code().name(),
        facts.deciding().message(),
        image,
        facts,
        device,
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
    return new Outcome(
        status, errorCode, errorMessage, image, known, device, encodeMillis, storeMillis);
  }

  /** Drawn and stored by an attempt at this task that failed later. */
  public static Outcome generatedBefore(StoredImage image) {
    return undrawn(ImageStatus.GENERATED, null, null, image);
  }

  /** The same image, as an image of an earlier run. */
  public Outcome reused() {
    return reused(image).with(DrawingFacts.ofVerdicts(facts.verdicts()));
  }

  /** Its answer was lost in an earlier run, and it is not requested again. */
  public static Outcome uncertainBefore(String errorCode, String errorMessage) {
    return undrawn(ImageStatus.UNCERTAIN, errorCode, errorMessage, null);
  }

  public static Outcome pending() {
    return undrawn(ImageStatus.PENDING, null, null, null);
  }

  /** The failure decides the status: an image that was not requested is pending. */
  public static Outcome failed(LightmillException failure, DeviceMillis device) {
    return new Outcome(
        switch (failure.code()) {
          case PROVIDER_ANSWER_LOST -> ImageStatus.UNCERTAIN;
          case REQUEST_NOT_SENT -> ImageStatus.PENDING;
          default -> ImageStatus.FAILED;
        },
        failure.code().name(),
        failure.getMessage(),
        null,
        DrawingFacts.NONE,
        device,
        null,
        null);
  }

  public static Outcome generated(
      StoredImage image,
      DrawingFacts facts,
      DeviceMillis device,
      double encodeMillis,
      double storeMillis) {
    return new Outcome(
        ImageStatus.GENERATED, null, null, image, facts, device, encodeMillis, storeMillis);
  }
}
