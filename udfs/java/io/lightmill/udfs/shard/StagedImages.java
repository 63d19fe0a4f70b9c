package io.lightmill.udfs.shard;

import io.lightmill.pipeline.image.ImageFormat;

/**
 * Images that wait to be packed, each an object of its own, named by its identity. So whoever draws
 * it once more finds it, whatever it will be called in a shard.
 */
public final class StagedImages {

  /** Of all staged images below an output. */
  public static final String DIRECTORY = "staged";

  /** Finds the identity in a key, for SQL's {@code regexp_extract}. */
  public static final String IDENTITY = "([0-9a-f]+)\\.[a-z]+$";

  private StagedImages() {}

  /** The key of an image. */
  public static String key(String imageId, ImageFormat format) {
    return "%s/%s/%s.%s".formatted(DIRECTORY, imageId.substring(0, 2), imageId, format.extension());
  }

  /** Whether a key is one of theirs. */
  public static boolean include(String key) {
    return key.startsWith(DIRECTORY + "/");
  }
}
