package io.lightmill.udfs.draw;

import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ErrorCode;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.ImageResult;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.device.DeviceFailures;
import io.lightmill.udfs.device.DeviceSlot;
import io.lightmill.udfs.device.PipelineLoader;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Draws batches on one device. A batch that fails is drawn image by image, so that one request that
 * the engine cannot draw, or a batch too large for the device, costs no other image.
 *
 * <p>After an error of the device other than lack of memory, and after a batch whose images all
 * fail in the engine, a tiny computation shows whether the device still works. If it does not, or
 * if errors of the device fail several batches in a row, no image is to blame, and the task fails.
 */
final class BatchDrawing {

  private static final Logger LOG = LoggerFactory.getLogger(BatchDrawing.class);
  private static final RepeatedErrors ERRORS = new RepeatedErrors(LOG::warn);
  private static final double NANOS_PER_MILLI = 1e6;

  private final DeviceSlot slot;
  private final PipelineLoader loader;
  private final int threads;
  private final Runnable begun;
  private boolean drawing;

  /**
   * @param threads that the drawing of an image may use on a CPU
   * @param begun called before the first batch, once the model is loaded
   */
  BatchDrawing(DeviceSlot slot, PipelineLoader loader, int threads, Runnable begun) {
    this.slot = slot;
    this.loader = loader;
    this.threads = threads;
    this.begun = begun;
  }

  /**
   * Draws the batch as soon as the device has room for it.
   *
   * @return one image or failure per request, in order
   * @throws LightmillException if the checkpoint cannot be loaded
   * @throws io.lightmill.udfs.device.BrokenDeviceException if the device does not work any more
   * @throws InterruptedException if the task is killed while it waits
   */
  List<DrawnImage> draw(List<ImageRequest> batch) throws InterruptedException {
    return slot.use(
        loader,
        threads,
        batch,
        pipeline -> {
          if (!drawing) {
            drawing = true;
            begun.run();
          }
          return drawn(pipeline, batch);
        });
  }

  private List<DrawnImage> drawn(DiffusionPipeline pipeline, List<ImageRequest> batch) {
    List<RuntimeException> ofEngine = new ArrayList<>();
    List<DrawnImage> drawn = drawn(pipeline, batch, ofEngine);
    if (ofEngine.size() == batch.size()) {
      DeviceFailures.requireWorking(pipeline, ofEngine.get(0));
      ofEngine.stream().filter(DeviceFailures::mayBreak).findFirst().ifPresent(slot::failed);
    } else if (drawn.stream().anyMatch(image -> image.failure() == null)) {
      slot.succeeded();
    }
    return drawn;
  }

  /**
   * @param ofEngine receives the engine's error of each image that has one
   */
  private static List<DrawnImage> drawn(
      DiffusionPipeline pipeline, List<ImageRequest> batch, List<RuntimeException> ofEngine) {
    long start = System.nanoTime();
    try {
      return drawnAtOnce(pipeline, batch);
    } catch (RuntimeException e) {
      if (Thread.currentThread().isInterrupted()) {
        throw e; // the task is being killed; its images are not to blame
      }
      if (DeviceFailures.mayBreak(e)) {
        DeviceFailures.requireWorking(pipeline, e);
      }
      double lost = millisSince(start) / batch.size();
      if (batch.size() == 1) {
        if (DeviceFailures.ofEngine(e)) {
          ofEngine.add(e);
        }
        return List.of(new DrawnImage(null, failure(e), DrawingFacts.NONE, lost));
      }
      ERRORS.add("A batch failed; its images are drawn one by one", e);
      return batch.stream()
          .map(request -> drawn(pipeline, List.of(request), ofEngine).get(0).delayed(lost))
          .toList();
    }
  }

  private static List<DrawnImage> drawnAtOnce(
      DiffusionPipeline pipeline, List<ImageRequest> batch) {
    long start = System.nanoTime();
    List<ImageResult> results = pipeline.results(batch);
    if (results.size() != batch.size()) {
      throw new IllegalStateException(
          "%d images for %d requests".formatted(results.size(), batch.size()));
    }
    double share = millisSince(start) / batch.size();
    return results.stream().map(result -> drawn(result, share)).toList();
  }

  private static DrawnImage drawn(ImageResult result, double millis) {
    result.failure().ifPresent(e -> ERRORS.add("An image could not be drawn", e));
    return new DrawnImage(
        result.image().orElse(null), result.failure().orElse(null), result.facts(), millis);
  }

  private static LightmillException failure(RuntimeException e) {
    ERRORS.add("An image could not be drawn", e);
    return e instanceof LightmillException known
        ? known
        : new LightmillException(
            ErrorCode.GENERATION_FAILED, "the engine failed to draw this image: " + e, e);
  }

  private static double millisSince(long start) {
    return (System.nanoTime() - start) / NANOS_PER_MILLI;
  }
}
