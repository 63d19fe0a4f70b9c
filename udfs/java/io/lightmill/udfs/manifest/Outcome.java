package io.lightmill.udfs.manifest;

import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.ImageStatus;

/**
 * The result for one image; what does not apply is null.
 *
 * @param image if it is stored
 * @param device its share of the time that its batch took on the device
 */
public record Outcome(
    ImageStatus status,
    String errorCode,
    String errorMessage,
    StoredImage image,
    DeviceMillis device,
    Double encodeMillis,
    Double storeMillis) {

  private static Outcome undrawn(
      ImageStatus status, String errorCode, String errorMessage, StoredImage image) {
    return new Outcome(status, errorCode, errorMessage, image, null, null, null);
  }

  public static Outcome invalid(String errorCode, String errorMessage) {
    return undrawn(ImageStatus.INVALID, errorCode, errorMessage, null);
  }

  /** Failed in an earlier run, and not tried again. */
  public static Outcome failedBefore(String errorCode, String errorMessage) {
    return undrawn(ImageStatus.FAILED, errorCode, errorMessage, null);
  }

  public static Outcome reused(StoredImage image) {
    return undrawn(ImageStatus.REUSED, null, null, image);
  }

  /** Drawn and stored by an attempt at this task that failed later. */
  public static Outcome generatedBefore(StoredImage image) {
    return undrawn(ImageStatus.GENERATED, null, null, image);
  }

  /** The same image, as an image of an earlier run. */
  public Outcome reused() {
    return reused(image);
  }

  public static Outcome pending() {
    return undrawn(ImageStatus.PENDING, null, null, null);
  }

  public static Outcome failed(LightmillException failure, DeviceMillis device) {
    return new Outcome(
        ImageStatus.FAILED,
        failure.code().name(),
        failure.getMessage(),
        null,
        device,
        null,
        null);
  }

  public static Outcome generated(
      StoredImage image, DeviceMillis device, double encodeMillis, double storeMillis) {
    return new Outcome(
        ImageStatus.GENERATED, null, null, image, device, encodeMillis, storeMillis);
  }
}
