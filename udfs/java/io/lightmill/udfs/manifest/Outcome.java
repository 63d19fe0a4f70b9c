package io.lightmill.udfs.manifest;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.Verdict;
import io.lightmill.udfs.ImageStatus;
import java.util.List;

/**
 * The result for one image; what does not apply is null.
 *
 * @param image if it is stored
 * @param verdicts of classifiers; those of rules on the prompt are in the plan
 * @param screening scores and draws
 * @param generateMillis its share of the time that its batch took on the device
 */
public record Outcome(
    ImageStatus status,
    String errorCode,
    String errorMessage,
    StoredImage image,
    List<Verdict> verdicts,
    Screened screening,
    Double generateMillis,
    Double encodeMillis,
    Double storeMillis) {

  public Outcome {
    verdicts = List.copyOf(verdicts);
  }

  private static Outcome undrawn(
      ImageStatus status, String errorCode, String errorMessage, StoredImage image) {
    return new Outcome(status, errorCode, errorMessage, image, List.of(), null, null, null, null);
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
   * @param verdicts one of which blocks
   */
  public static Outcome blocked(StoredImage image, List<Verdict> verdicts, Double generateMillis) {
    Verdict deciding = Verdict.deciding(verdicts).orElseThrow();
    return new Outcome(
        ImageStatus.BLOCKED,
        deciding.refusal().code().name(),
        deciding.message(),
        image,
        verdicts,
        null,
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

  /** The same outcome with verdicts of classifiers. */
  public Outcome with(List<Verdict> found) {
    return with(found, screening);
  }

  /** The same outcome with verdicts of classifiers, scores and draws. */
  public Outcome with(List<Verdict> found, Screened scores) {
    return new Outcome(
        status,
        errorCode,
        errorMessage,
        image,
        found,
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
    return reused(image).with(verdicts);
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
        List.of(),
        null,
        generateMillis,
        null,
        null);
  }

  public static Outcome generated(
      StoredImage image, double generateMillis, double encodeMillis, double storeMillis) {
    return new Outcome(
        ImageStatus.GENERATED,
        null,
        null,
        image,
        List.of(),
        null,
        generateMillis,
        encodeMillis,
        storeMillis);
  }
}
