package io.lightmill.udfs.earlier;

import io.lightmill.udfs.store.FoundObject;
import java.io.Serializable;
import java.time.Instant;
import java.time.temporal.ChronoUnit;

/**
 * Tells images that a task need not draw, since an attempt at it or a twin of it has.
 *
 * @param force whether images of earlier runs do not count
 * @param since when the run began, by the store's clock
 */
public record AttemptImages(boolean force, Instant since) implements Serializable {

  /** Whether an object is this image, whole; stores date objects to the second. */
  public boolean include(String imageId, FoundObject object) {
    return ReadReceipts.imageId(object.bytes()).filter(imageId::equals).isPresent()
        && !(force && object.modified().isBefore(since.truncatedTo(ChronoUnit.SECONDS)));
  }
}
