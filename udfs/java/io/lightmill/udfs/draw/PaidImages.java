package io.lightmill.udfs.draw;

import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.pipeline.image.ImageFormat;
import io.lightmill.udfs.shard.StagedImages;
import io.lightmill.udfs.store.ImageStore;
import java.time.Duration;
import java.util.function.Supplier;

/**
 * Images of a hosted model that cannot be stored under their names. Each is tried twice and then
 * kept as a staged image, which the next run finds and stores under its name, so that it is not
 * paid for again.
 */
final class PaidImages {

  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final ImageStore store;
  private final ImageFormat format;

  PaidImages(ImageStore store, ImageFormat format) {
    this.store = store;
    this.format = format;
  }

  /** The result of storing, which is tried again after a pause. */
  <T> T stored(Supplier<T> storing) {
    try {
      return storing.get();
    } catch (LightmillException e) {
      if (e.code() != ErrorCode.STORE_FAILED || !paused()) {
        throw e;
      }
      return storing.get();
    }
  }

  private static boolean paused() {
    try {
      Thread.sleep(PAUSE.toMillis());
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /**
   * Keeps an image.
   *
   * @param failure why it is not stored under its name
   * @return the failure, and what became of the image
   * @throws LightmillException with {@code STORE_UNAVAILABLE} if the store does not respond
   */
  LightmillException kept(LightmillException failure, String imageId, byte[] bytes) {
    try {
      String path =
          store.put(StagedImages.key(imageId, format), bytes, format.contentType()).path();
      return also(
          failure,
          "the image is paid and kept as %s, and the next run stores it without another request"
              .formatted(path));
    } catch (LightmillException e) {
      if (e.code() == ErrorCode.STORE_UNAVAILABLE) {
        throw e;
      }
      failure.addSuppressed(e);
      return also(failure, "the image is paid and lost, and the next run pays for it again");
    }
  }

  private static LightmillException also(LightmillException failure, String sentence) {
    return new LightmillException(failure.code(), failure.getMessage() + "; " + sentence, failure);
  }
}
