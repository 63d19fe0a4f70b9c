package io.lightmill.udfs.device;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.checkpoint.ModelDirectory;
import io.lightmill.udfs.checkpoint.CheckpointFetch;
import java.io.Serializable;
import java.util.Locale;
import org.apache.hadoop.conf.Configuration;

/**
 * A classifier or scorer of a job.
 *
 * @param location as the user wrote it
 * @param digest that the driver found
 * @param bytes of its weights on the device
 */
public record CheckModel(Kind kind, String location, String digest, long bytes)
    implements Serializable {

  /** What a network of a check reads. */
  public enum Kind {
    PROMPT,
    IMAGE,
    SCORER;

    /** The name in run records. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** The local directory, fetched if necessary. */
  public static ModelDirectory localize(String location, Configuration hadoop) {
    return new ModelDirectory(new CheckpointFetch(hadoop).localizeModel(location));
  }

  /**
   * The local directory.
   *
   * @throws LightmillException with {@code WEIGHTS_INVALID} if it holds other files than on the
   *     driver
   */
  ModelDirectory directory(Configuration hadoop) {
    ModelDirectory directory = localize(location, hadoop);
    if (!directory.digest().equals(digest)) {
      throw new LightmillException(
          ErrorCode.WEIGHTS_INVALID,
          "the checkpoint '%s' holds other files here than on the driver; give all nodes the same"
              .formatted(location));
    }
    return directory;
  }
}
