package io.lightmill.pipeline.checkpoint;

import java.io.IOException;

/** The disk of the cache is too small for what is still to be copied. */
public final class NoRoomException extends IOException {

  private static final long serialVersionUID = 1;
  private static final double GIBIBYTE = 1 << 30;

  /**
   * @param bytes still to be copied
   * @param room bytes left on the disk
   */
  public NoRoomException(long bytes, long room) {
    super(
        "%.2f GiB are still to be copied, and its disk has %.2f GiB left"
            .formatted(bytes / GIBIBYTE, room / GIBIBYTE));
  }
}
