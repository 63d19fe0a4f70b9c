package io.lightmill.udfs;

import io.lightmill.pipeline.LightmillException;

/**
 * What became of one image; what does not apply is null.
 *
 * @param generateMillis share of the batch's time on the engine
 */
record Outcome(
    ImageStatus status,
    String errorCode,
    String errorMessage,
    String path,
    Long bytes,
    String sha256,
    Double generateMillis,
    Double encodeMillis,
    Double storeMillis) {

  static Outcome invalid(String errorCode, String errorMessage) {
    return new Outcome(
        ImageStatus.INVALID, errorCode, errorMessage, null, null, null, null, null, null);
  }

  static Outcome reused(String path, Long bytes, String sha256) {
    return new Outcome(ImageStatus.REUSED, null, null, path, bytes, sha256, null, null, null);
  }

  static Outcome failed(LightmillException failure, Double generateMillis) {
    return new Outcome(
        ImageStatus.FAILED,
        failure.code().name(),
        failure.getMessage(),
        null,
        null,
        null,
        generateMillis,
        null,
        null);
  }

  static Outcome generated(
      String path,
      long bytes,
      String sha256,
      double generateMillis,
      double encodeMillis,
      double storeMillis) {
    return new Outcome(
        ImageStatus.GENERATED,
        null,
        null,
        path,
        bytes,
        sha256,
        generateMillis,
        encodeMillis,
        storeMillis);
  }
}
