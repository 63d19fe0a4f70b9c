package io.lightmill.udfs.store;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import org.apache.commons.lang3.StringUtils;
import org.apache.hadoop.fs.Path;

/** The errors of a store. */
final class StoreFailures {

  private StoreFailures() {}

  static LightmillException unwritable(String root, Exception e) {
    if (StoreOutage.isCauseOf(e) && !StoreOutage.isUnknownHost(e)) {
      return new LightmillException(
          ErrorCode.STORE_UNAVAILABLE,
          "the store of output %s does not respond (%s); run again when it does, or fix its endpoint"
              .formatted(root, StoreOutage.reason(e)),
          e);
    }
    return new LightmillException(
        ErrorCode.OUTPUT_UNWRITABLE,
        ("output %s cannot be written: %s; name a directory that this user may write, or fix its "
                + "permissions, credentials or endpoint")
            .formatted(root, e),
        e);
  }

  static LightmillException unstored(Path path, IOException e) {
    return failed("object %s cannot be stored: %s; fix the cause and run again", path, e);
  }

  static LightmillException unreadable(Path path, IOException e) {
    return failed(
        "object %s cannot be read: %s; fix its permissions or credentials and run again", path, e);
  }

  static LightmillException undeleted(Path path, IOException e) {
    return failed(
        "%s cannot be deleted: %s; fix its permissions or credentials and run again", path, e);
  }

  private static LightmillException failed(String message, Path path, IOException e) {
    if (StoreOutage.isCauseOf(e)) {
      String why =
          e instanceof StoreUnavailableException
              ? e.getMessage()
              : "the store does not respond (%s)".formatted(StoreOutage.reason(e));
      return new LightmillException(
          ErrorCode.STORE_UNAVAILABLE,
          "%s: %s; run again when the store responds; finished images are kept"
              .formatted(StringUtils.substringBefore(message, ":").formatted(path), why),
          e);
    }
    return new LightmillException(
        ErrorCode.STORE_FAILED, (message + "; finished images are kept").formatted(path, e), e);
  }
}
