package io.lightmill.udfs.draw;

import java.io.Serializable;

/**
 * How many images are drawn together.
 *
 * @param batchSize images that a device draws at once; {@link #MEASURED} to find out on the device
 * @param chunk images that go through one phase before networks change places on the device; {@link
 *     #RESIDENT} if they stay there
 */
public record Batching(int batchSize, int chunk) implements Serializable {

  public static final int MEASURED = 0;

  public static final int RESIDENT = 0;

  /** The pixels of a chunk take at most this share of the heap, which has two chunks at a time. */
  private static final int HEAP_SHARE = 8;

  /**
   * Images of a chunk, as far as the heap has room for them.
   *
   * @param pixels of an image
   */
  int chunk(long pixels) {
    long room = Runtime.getRuntime().maxMemory() / HEAP_SHARE / (3 * pixels);
    return (int) Math.max(1, Math.min(chunk, room));
  }
}
