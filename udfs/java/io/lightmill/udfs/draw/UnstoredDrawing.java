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
import io.lightmill.udfs.plan.ImageIdentity;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;

/**
 * Draws images that are returned to the caller, encoded, and stored nowhere.
 *
 * @param threadsPerImage that the drawing of an image may use on a CPU
 */
public record UnstoredDrawing(
    ImageEncoding encoding, Cluster cluster, PipelineLoader loader, int threadsPerImage)
    implements Serializable {

  private static final double NANOS_PER_MILLI = 1e6;

  public static UnstoredDrawing of(
      ImageIdentity identity,
      ClassifierFreeGuidance guidance,
      ImageMarking marking,
      Cluster cluster,
      PipelineLoader loader,
      int threadsPerImage) {
    return new UnstoredDrawing(
        new ImageEncoding(identity, guidance, marking), cluster, loader, threadsPerImage);
  }

  /**
   * An image file, or the failure.
   *
   * @param bytes null if there is a failure, or a verdict that blocks
   * @param blank whether all pixels are equal
   * @param failure null if there is none
   */
  @SuppressWarnings("ArrayRecordComponent") // nobody compares images
  record Encoded(
      byte[] bytes,
      boolean blank,
      LightmillException failure,
      DrawingFacts facts,
      double generateMillis,
      double encodeMillis) {}

  /**
   * Draws one image on the device of this task; outside of tasks on the first one of this machine.
   *
   * @throws LightmillException if it cannot be drawn
   */
  public byte[] one(ImageRequest request) {
    TaskContext task = TaskContext.get();
    Device device = task == null ? TaskDevice.first(cluster) : TaskDevice.of(cluster, task);
    Encoded image = on(LoadedPipelines.slot(device)).draw(List.of(request)).get(0);
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
        new BatchDrawing(slot, loader, threadsPerImage, () -> {}), encoding, cluster.local());
  }

  /**
   * Draws batches on one device. If the device is broken, the task fails and the executor ends.
   *
   * @param local whether the driver is the executor, which then does not end
   */
  record OnDevice(BatchDrawing drawing, ImageEncoding encoding, boolean local) {

    /** One image or failure per request, in order. */
    List<Encoded> draw(List<ImageRequest> batch) {
      try {
        Iterator<DrawnImage> drawn = drawnOnDevice(batch).iterator();
        List<Encoded> images = new ArrayList<>();
        batch.forEach(request -> images.add(encoded(request, drawn.next())));
        return images;
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new TaskKilledException("interrupted while drawing");
      }
    }

    private List<DrawnImage> drawnOnDevice(List<ImageRequest> batch) throws InterruptedException {
      try {
        return drawing.draw(batch);
      } catch (BrokenDeviceException e) {
        if (!local) {
          ExecutorExit.PROCESS.begin(e);
        }
        throw e;
      }
    }

    private Encoded encoded(ImageRequest request, DrawnImage drawn) {
      if (drawn.failure() != null) {
        return failed(drawn.failure(), drawn);
      }
      if (drawn.facts().isBlocked()) {
        return new Encoded(null, false, null, drawn.facts(), drawn.generateMillis(), 0);
      }
      long start = System.nanoTime();
      try {
        byte[] bytes = encoding.encoded(request, drawn.drawn(request), drawn.image());
        double millis = (System.nanoTime() - start) / NANOS_PER_MILLI;
        return new Encoded(
            bytes, drawn.image().isBlank(), null, drawn.facts(), drawn.generateMillis(), millis);
      } catch (LightmillException e) {
        return failed(e, drawn);
      }
    }

    private static Encoded failed(LightmillException failure, DrawnImage drawn) {
      return new Encoded(
          null, false, failure, drawn.facts().with(List.of()), drawn.generateMillis(), 0);
    }
  }
}
