package io.lightmill.udfs.manifest;

import io.lightmill.pipeline.BatchWork;
import java.time.Duration;

/**
 * An image's share of the time that its batch took on the device, in milliseconds.
 *
 * @param total with attempts that failed, and with the loading of networks that take turns
 * @param encode of encoding the prompts
 * @param denoise of the transformer's steps
 * @param decode of decoding the latents
 */
public record DeviceMillis(double total, double encode, double denoise, double decode) {

  /** Of an image that another row has drawn. */
  public static final DeviceMillis NONE = new DeviceMillis(0, 0, 0, 0);

  private static final double NANOS_PER_MILLI = 1e6;

  /**
   * The share of each image of a batch.
   *
   * @param lost on attempts that failed
   */
  public static DeviceMillis share(BatchWork work, int images, double lost) {
    return new DeviceMillis(
        millis(work.total(), images) + lost,
        millis(work.encode(), images),
        millis(work.denoise(), images),
        millis(work.decode(), images));
  }

  private static double millis(Duration duration, int images) {
    return duration.toNanos() / NANOS_PER_MILLI / images;
  }
}
