package io.lightmill.udfs.shard;

import java.io.Closeable;
import java.io.IOException;
import java.util.OptionalLong;

/** Writes images into a shard, one after the other; closing it completes the shard. */
interface ShardWriter extends Closeable {

  /**
   * Adds an image.
   *
   * @return the first of its bytes within the shard, where they stand in one piece
   */
  OptionalLong add(ShardImage image, byte[] bytes) throws IOException;
}
