package io.lightmill.udfs.store;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import java.io.IOException;
import org.apache.hadoop.fs.Path;

/** What a store says when it fails. */
final class StoreFailures {

  private StoreFailures() {}

  static LightmillException unwritable(String root, Exception e) {
    return new LightmillException(
        ErrorCode.OUTPUT_UNWRITABLE,
        ("Output %s cannot be written: %s. Name a directory that this user may write, or fix its "
                + "permissions, credentials or endpoint.")
            .formatted(root, e),
        e);
  }

  static LightmillException unstored(Path path, IOException e) {
    return new LightmillException(
        ErrorCode.STORE_FAILED,
        "Object %s could not be stored: %s. Fix that and run again; finished images are kept."
            .formatted(path, e),
        e);
  }

  static LightmillException unreadable(Path path, IOException e) {
    return new LightmillException(
        ErrorCode.STORE_FAILED,
        "Object %s could not be read back: %s. Fix its permissions or credentials and run again."
            .formatted(path, e),
        e);
  }

  static LightmillException unremoved(Path path, IOException e) {
    return new LightmillException(
        ErrorCode.STORE_FAILED,
        "%s could not be removed: %s. Fix its permissions or credentials and run again."
            .formatted(path, e),
        e);
  }
}
