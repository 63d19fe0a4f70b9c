package io.lightmill.udfs.draw;

import io.lightmill.pipeline.ClassifierFreeGuidance;
import io.lightmill.pipeline.Device;
import io.lightmill.pipeline.DrawingFacts;
import io.lightmill.pipeline.ImageRequest;
import io.lightmill.pipeline.LightmillException;
import io.lightmill.udfs.device.BrokenDeviceException;
import io.lightmill.udfs.device.Cluster;
import io.lightmill.udfs.device.DeviceSlot;
import io.lightmill.udfs.device.ExecutorExit;
import io.lightmill.udfs.device.LoadedPipelines;
import io.lightmill.udfs.device.PipelineLoader;
import io.lightmill.udfs.device.TaskDevice;
import io.lightmill.udfs.manifest.DeviceMillis;
import io.lightmill.udfs.plan.ImageIdentity;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;

/**
 * Draws images that are returned to the caller, encoded, and stored nowhere.
 *
 * @param threadsPerImage that the drawing of an image may use on a CPU
 * @param batching how many images are drawn together
 */
public record UnstoredDrawing(
    ImageEncoding encoding,
    Cluster cluster,
    PipelineLoader loader,
    int threadsPerImage,
    Batching batching)
    implements Serializable {

  private static final double NANOS_PER_MILLI = 1e6;

  public static UnstoredDrawing of(
      ImageIdentity identity,
      ClassifierFreeGuidance guidance,
      ImageMarking marking,
      Cluster cluster,
      PipelineLoader loader,
      int threadsPerImage,
      Batching batching) {
    return new UnstoredDrawing(
        new ImageEncoding(identity, guidance, marking), cluster, loader, threadsPerImage, batching);
  }

  /**
   * An image file, or the failure.
   *
   * @param bytes null if there is a failure, or a verdict that blocks
   * @param blank whether all pixels are equal
   * @param failure null if there is none
   * @param device its share of the batch's time on the device
   */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares images
  record Encoded(
      byte[] bytes,
      boolean blank,
      LightmillException failure,
      DrawingFacts facts,
      DeviceMillis device,
      double encodeMillis) {

    /** The same for another row. */
    private Encoded again() {
      return new Encoded(bytes, blank, failure, facts, DeviceMillis.NONE, 0);
    }
  }

  /**
   * Draws one image on the device of this task; outside of tasks on the first one of this machine.
   *
   * @throws LightmillException if it cannot be drawn
   */
  public byte[] one(ImageRequest request) {
    TaskContext task = TaskContext.get();
    Device device = task == null ? TaskDevice.first(cluster) : TaskDevice.of(cluster, task);
    Encoded image =
        on(LoadedPipelines.slot(device))
            .draw(List.of(new BatchDrawing.KeyedBatch("", List.of(request))))
            .get(0)
            .get(0);
    if (image.failure() != null) {
      throw image.failure();
    }
    if (image.facts().isBlocked()) {
      throw image.facts().deciding().refusal();
    }
    return image.bytes();
  }

  OnDevice on(DeviceSlot slot) {
    return new OnDevice(
        new BatchDrawing(slot, loader, threadsPerImage, batching.batchSize(), () -> {}),
        batching,
        encoding,
        cluster.local());
  }

  /**
   * Draws batches on one device. If the device is broken, the task fails and the executor ends.
   *
   * @param local whether the driver is the executor, which then does not end
   */
  record OnDevice(BatchDrawing drawing, Batching batching, ImageEncoding encoding, boolean local) {

    /**
     * Draws a chunk; equal requests of a batch once.
     *
     * @return for each batch one image or failure per request, in order
     */
    List<List<Encoded>> draw(List<BatchDrawing.KeyedBatch> chunk) {
      List<BatchDrawing.KeyedBatch> distinct =
          chunk.stream()
              .map(
                  batch ->
                      new BatchDrawing.KeyedBatch(
                          batch.key(), batch.requests().stream().distinct().toList()))
              .toList();
      try {
        Iterator<List<DrawnImage>> drawn = drawnOnDevice(distinct).iterator();
        Iterator<BatchDrawing.KeyedBatch> requested = chunk.iterator();
        List<List<Encoded>> images = new ArrayList<>();
        for (BatchDrawing.KeyedBatch batch : distinct) {
          images.add(encoded(requested.next().requests(), batch.requests(), drawn.next()));
        }
        return images;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new TaskKilledException("interrupted while drawing");
      }
    }

    private List<List<DrawnImage>> drawnOnDevice(List<BatchDrawing.KeyedBatch> chunk)
        throws InterruptedException {
      try {
        return drawing.draw(chunk, () -> true, (images, work) -> {});
      } catch (BrokenDeviceException e) {
        if (!local) {
          ExecutorExit.PROCESS.begin(e);
        }
        throw e;
      }
    }

    /**
     * @param distinct those of the requests that were drawn
     */
    private List<Encoded> encoded(
        List<ImageRequest> requests, List<ImageRequest> distinct, List<DrawnImage> drawn) {
      Map<ImageRequest, Encoded> known = new HashMap<>();
      for (int i = 0; i < distinct.size(); i++) {
        known.put(distinct.get(i), encoded(distinct.get(i), drawn.get(i)));
      }
      List<Encoded> images = new ArrayList<>();
      for (ImageRequest request : requests) {
        images.add(known.get(request));
        known.computeIfPresent(request, (same, image) -> image.again());
      }
      return images;
    }

    private Encoded encoded(ImageRequest request, DrawnImage drawn) {
      if (drawn.failure() != null) {
        return new Encoded(null, false, drawn.failure(), drawn.facts(), drawn.millis(), 0);
      }
      if (drawn.facts().isBlocked()) {
        return new Encoded(null, false, null, drawn.facts(), drawn.millis(), 0);
      }
      long start = System.nanoTime();
      try {
        byte[] bytes = encoding.encoded(request, drawn.facts(), drawn.image());
        double millis = (System.nanoTime() - start) / NANOS_PER_MILLI;
        return new Encoded(
            bytes, drawn.image().isBlank(), null, drawn.facts(), drawn.millis(), millis);
      } catch (LightmillException e) {
        return new Encoded(null, false, e, drawn.facts().with(List.of()), drawn.millis(), 0);
      }
    }
  }
}
