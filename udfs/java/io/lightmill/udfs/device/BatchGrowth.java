package io.lightmill.udfs.device;

import java.util.HashMap;
import java.util.Map;

/**
 * The number of images of one shape that a device draws at once, found while it draws. A batch has
 * one image first; its size doubles as long as the device then draws at least 5 % more images per
 * second, and until memory is short. A batch that is too large for the memory halves the size for
 * good. Safe for use by several threads.
 */
public final class BatchGrowth {

  /** Larger batches draw no faster on any device, and delay the end of a run. */
  static final int MOST = 64;

  /** By which the images per second have to grow. */
  private static final double LEAST_GAIN = 1.05;

  /** The first batch of a size also reserves memory, so a disappointing one has another chance. */
  private static final int TRIES = 2;

  private final Map<Integer, Double> imagesPerSecond = new HashMap<>();
  private int most;
  private int size;
  private int tries;
  private boolean settled;

  private BatchGrowth(int size, int most) {
    this.size = size;
    this.most = most;
  }

  /** Finds the size by measurement. */
  static BatchGrowth measured() {
    return new BatchGrowth(1, MOST);
  }

  /** Keeps to a size, or to less where memory is short. */
  static BatchGrowth fixed(int images) {
    BatchGrowth growth = new BatchGrowth(images, images);
    growth.settled = true;
    return growth;
  }

  /**
   * Images of a batch.
   *
   * @param ahead batches before it that are planned and not drawn yet: the size that there will be
   *     if all of them draw faster
   */
  public synchronized int size(int ahead) {
    return settled ? size : (int) Math.min(most, (long) size << Math.min(ahead, 16));
  }

  /** Notes that a batch was drawn. Only batches of the size that is tried are measured. */
  public synchronized void drew(int images, double seconds) {
    if (settled || images != size || seconds <= 0) {
      return;
    }
    double rate = imagesPerSecond.merge(images, images / seconds, Math::max);
    if (size == 1 || rate >= LEAST_GAIN * imagesPerSecond.get(size / 2)) {
      grow();
    } else {
      tries++;
      if (tries == TRIES) {
        settle(size / 2);
      }
    }
  }

  private void grow() {
    if (size * 2 > most) {
      settle(size);
    } else {
      size *= 2;
      tries = 0;
    }
  }

  /** Notes that a batch needed more memory than there is. */
  public synchronized void outOfMemory(int images) {
    most = Math.max(1, Math.min(most, images / 2));
    if (size >= most) {
      settle(most);
    }
  }

  private void settle(int images) {
    size = images;
    settled = true;
  }
}
