package io.lightmill.udfs.draw;

import io.lightmill.pipeline.BatchWork;
import java.time.Duration;

/** How long the next batch may take, by the slowest so far; nothing is expected of the first. */
final class DrawingPace {

  private Duration image = Duration.ZERO;
  private Duration phases = Duration.ZERO;
  private Duration decode = Duration.ZERO;
  private Duration load = Duration.ZERO;

  /** Notes the work on one batch. */
  void drew(int images, BatchWork work) {
    phases = longer(phases, work.phases().dividedBy(images));
    decode = longer(decode, work.decode().dividedBy(images));
  }

  /**
   * Notes the time of a whole chunk.
   *
   * @param total waiting for the device included
   * @param loading networks
   */
  void drewChunk(int images, Duration total, Duration loading) {
    image = longer(image, total.dividedBy(images));
    load = longer(load, loading);
  }

  /** For a chunk whose first batch has so many images; it may end after that batch. */
  Duration begin(int images) {
    return image.multipliedBy(images).plus(load);
  }

  /**
   * For one more batch of a chunk, whose images are decoded at the end.
   *
   * @param images of the batch
   * @param chunk images of the chunk
   */
  Duration goOn(int images, int chunk) {
    return phases.multipliedBy(images).plus(decode.multipliedBy(chunk)).plus(load);
  }

  private static Duration longer(Duration one, Duration other) {
    return one.compareTo(other) > 0 ? one : other;
  }
}
