package io.lightmill.pipeline.checkpoint;

import java.io.IOException;

/** The disk of the cache has too little free space for the remaining files. */
public final class InsufficientSpaceException extends IOException {

  private static final long serialVersionUID = 1;
  private static final double GIBIBYTE = 1 << 30;

  /**
   * @param bytes that remain to be copied
   * @param space free bytes on the disk
   */
  public InsufficientSpaceException(long bytes, long space) {
    super(
        "%.2f GiB remain to be copied, but its disk has %.2f GiB of free space"
            .formatted(bytes / GIBIBYTE, space / GIBIBYTE));
  }
}
