package io.lightmill.udfs.draw;

import io.lightmill.pipeline.BatchResult;
import io.lightmill.pipeline.DiffusionPipeline;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.device.BatchGrowth;
import io.lightmill.udfs.device.DeviceFailures;
import io.lightmill.udfs.device.DeviceSlot;
import io.lightmill.udfs.device.PipelineLoader;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * Draws batches on one device, and finds out how large they should be. A batch that fails is drawn
 * in smaller ones, so that one request that the engine cannot draw, or a batch too large for the
 * device, costs no other image.
 *
 * <p>After an error of the device other than lack of memory, and after a batch whose images all
 * fail in the engine, a tiny computation shows whether the device still works. If it does not, or
 * if errors of the device fail several batches in a row, the cause is not an image, and the task
 * fails.
 */
final class BatchDrawing {

  private static final double NANOS_PER_SECOND = 1e9;

  private final DeviceSlot slot;
  private final PipelineLoader loader;
  private final int threads;
  private final int batchSize;
  private final Runnable begun;
  private boolean drawing;

  /**
   * @param threads that the drawing of an image may use on a CPU
   * @param batchSize of {@link Batching}
   * @param begun called before the first batch, once the model is loaded
   */
  BatchDrawing(DeviceSlot slot, PipelineLoader loader, int threads, int batchSize, Runnable begun) {
    this.slot = slot;
    this.loader = loader;
    this.threads = threads;
    this.batchSize = batchSize;
    this.begun = begun;
  }

  /**
   * Images of a batch, by what the device has drawn so far.
   *
   * @param batchKey of the batch
   * @param ahead batches of that key before it that are not drawn yet
   */
  int batchSize(String batchKey, int ahead) {
    return growth(batchKey).size(ahead);
  }

  private BatchGrowth growth(String batchKey) {
    return slot.growth(loader, batchKey, batchSize);
  }

  /**
   * Draws batches as soon as the device has memory for them.
   *
   * @param chunk batches and their keys
   * @param goOn whether one more batch may begin; asked before each but the first
   * @param worked receives each attempt at a batch, and its number of images
   * @return for each batch one image or failure per request, in order
   * @throws LightmillException if the checkpoint cannot be loaded
   * @throws io.lightmill.udfs.device.BrokenDeviceException if the device no longer works
   * @throws InterruptedException if the task is killed while it waits
   */
  List<List<DrawnImage>> draw(List<KeyedBatch> chunk, BooleanSupplier goOn, Work worked)
      throws InterruptedException {
    return slot.use(
        loader,
        threads,
        chunk.stream().flatMap(batch -> batch.requests().stream()).toList(),
        pipeline -> {
          if (!drawing) {
            drawing = true;
            begun.run();
          }
          return drawn(pipeline, chunk, goOn, worked);
        });
  }

  /** A batch, and the key that its requests have in common. */
  record KeyedBatch(String key, List<ImageRequest> requests) {}

  /** Receives one attempt at a batch. */
  @FunctionalInterface
  interface Work {
    void add(int images, BatchResult result);
  }

  private List<List<DrawnImage>> drawn(
      DiffusionPipeline pipeline, List<KeyedBatch> chunk, BooleanSupplier goOn, Work worked) {
    return new ChunkAttempts(
            pipeline,
            chunk.stream().map(KeyedBatch::requests).toList(),
            goOn,
            (batch, requests, result) -> {
              worked.add(requests, result);
              measured(chunk.get(batch), requests, result);
            })
        .drawn().stream().map(batch -> checked(pipeline, batch)).toList();
  }

  private void measured(KeyedBatch batch, int images, BatchResult result) {
    if (result.failure().filter(DeviceFailures::outOfMemory).isPresent()) {
      growth(batch.key()).outOfMemory(images);
    } else if (!result.images().isEmpty()) {
      growth(batch.key()).drew(images, result.work().phases().toNanos() / NANOS_PER_SECOND);
    }
  }

  private List<DrawnImage> checked(DiffusionPipeline pipeline, ChunkAttempts.Drawn batch) {
    List<RuntimeException> ofEngine = batch.ofEngine();
    if (ofEngine.size() == batch.images().size()) {
      DeviceFailures.requireWorking(pipeline, ofEngine.get(0));
      ofEngine.stream().filter(DeviceFailures::mayBreak).findFirst().ifPresent(slot::failed);
    } else if (batch.images().stream().anyMatch(BatchDrawing::succeeded)) {
      slot.succeeded();
    }
    return batch.images();
  }

  private static boolean succeeded(DrawnImage image) {
    return image.failure() == null && !image.isLeftOut();
  }
}
