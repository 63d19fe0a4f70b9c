package io.lightmill.udfs.shard;

import java.io.Closeable;
import java.io.IOException;
import java.util.OptionalLong;

/** Writes images into a shard; closing it completes the shard. */
interface ShardWriter extends Closeable {

  /**
   * Adds an image.
   *
   * @return the offset of its first byte within the shard, if it is stored contiguously
   */
  OptionalLong add(ShardImage image, byte[] bytes) throws IOException;
}
