package io.lightmill.udfs.shard;

import io.lightmill.pipeline.image.ImageFormat;

/**
 * Images to be packed, each stored as one object that is named by its image id. So a later attempt
 * finds the image, whatever its name in a shard will be.
 */
public final class StagedImages {

  /** The directory of all staged images below an output. */
  public static final String DIRECTORY = "staged";

  /** Extracts the image id from a key, for SQL's {@code regexp_extract}. */
  public static final String IDENTITY = "([0-9a-f]+)\\.[a-z]+$";

  private StagedImages() {}

  /** The key of an image. */
  public static String key(String imageId, ImageFormat format) {
    return "%s/%s/%s.%s".formatted(DIRECTORY, imageId.substring(0, 2), imageId, format.extension());
  }

  /** Whether a key is that of a staged image. */
  public static boolean include(String key) {
    return key.startsWith(DIRECTORY + "/");
  }
}
