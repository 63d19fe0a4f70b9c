package io.lightmill.udfs.earlier;

import io.lightmill.udfs.store.FoundObject;
import java.io.Serializable;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * Recognizes images that another attempt at the same task has stored.
 *
 * @param force whether images of earlier runs are drawn again
 * @param since start of the run by the store's clock
 */
public record AttemptImages(boolean force, Instant since) implements Serializable {

  /** Whether an object is this image and complete. Stores date objects to the second. */
  public boolean include(String imageId, FoundObject object) {
    return ReadReceipts.imageId(object.bytes()).filter(imageId::equals).isPresent()
        && !(force && object.modified().isBefore(since.truncatedTo(ChronoUnit.SECONDS)));
  }
}
